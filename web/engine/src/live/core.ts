/**
 * The whole live instrument, without Web Audio: samples of a voice in, samples of the instrument out. It makes no
 * objects while it runs.
 *
 * Every analysed frame is a tick: voice or keys decide what to play, the network computes its controls, and the
 * synthesiser renders the samples up to it. A queue between them and the output holds as much silence at first as all
 * of that is late, so it never runs dry.
 */

import type { Manifest } from "../bundle/manifest.ts";
import { FLOOR_DB } from "../features/floor.ts";
import { LIVE_REACH, LOUDEST, StreamingAnalysis } from "../features/streaming_analysis.ts";
import type { Tensors } from "../network/layers.ts";
import { StreamingNetwork } from "../network/streaming_network.ts";
import type { Noise } from "../synthesis/noise_source.ts";
import { SampleQueue } from "../synthesis/sample_queue.ts";
import { Synthesiser } from "../synthesis/synthesiser.ts";
import type { KernelExports } from "../wasm/kernels.ts";
import { Keys } from "./keys.ts";
import type { PlayedFrame } from "./played_frame.ts";
import { DEFAULT_SETTINGS, type Latency, type LiveSettings, SILENCE_DB } from "./types.ts";
import { Voice } from "./voice.ts";

const LONGEST_BLOCK = 2048;

/** A frame, as `onFrame` gets it: pitch and loudness of the voice (pitch goes on where there is none) and as played. */
export interface LiveFrame {
  voiceHz: number;
  confidence: number;
  voiceDb: number;
  playedHz: number;
  playedDb: number;
  /** How far the harmonics are open, 0 to 1: 0 is breath or silence. */
  playedPitch: number;
}

export class LiveCore {
  #settings: LiveSettings = DEFAULT_SETTINGS;
  readonly keys: Keys;
  readonly latency: Latency;
  /** Samples from input to output. */
  readonly latencySamples: number;
  /** Samples that were wanted and not there: none, ever, unless something is wrong here. */
  starved = 0;
  readonly #frame: LiveFrame = {
    voiceHz: 440,
    confidence: 0,
    voiceDb: FLOOR_DB,
    playedHz: 440,
    playedDb: SILENCE_DB,
    playedPitch: 0,
  };
  readonly #analysis: StreamingAnalysis;
  readonly #voice: Voice;
  readonly #network: StreamingNetwork;
  readonly #synthesiser: Synthesiser;
  readonly #queue: SampleQueue;
  readonly #direct: SampleQueue;
  #input = new Float32Array(128); // a context's own block
  readonly #onFrame: (frame: Readonly<LiveFrame>) => void;
  #connected = false;

  /** @param rate Hz, of input and output. @param onFrame called about `frame_rate` times a second, in `process`. */
  constructor(
    kernels: KernelExports,
    manifest: Manifest,
    tensors: Tensors,
    rate: number,
    noise: Noise,
    onFrame: (frame: Readonly<LiveFrame>) => void,
  ) {
    const { frame_rate: frameRate, sample_rate: own } = manifest.audio;
    this.keys = new Keys(manifest.statistics, frameRate);
    this.#voice = new Voice(manifest.statistics, frameRate);
    this.#onFrame = onFrame;
    this.#analysis = new StreamingAnalysis(
      kernels,
      manifest.audio,
      rate,
      LONGEST_BLOCK,
      () => this.#tick(),
      LIVE_REACH,
    );
    this.#network = new StreamingNetwork(kernels, manifest, tensors);
    this.#synthesiser = new Synthesiser(kernels, manifest, rate, this.#network.controls, noise);
    const { resampling, lookAhead, decision } = this.#analysis;
    const frame = this.#synthesiser.frames / frameRate;
    const rounding = 2 / own + 2 / rate; // the resampler's and the clock's
    this.latencySamples = Math.ceil((resampling + lookAhead + decision + frame + rounding) * rate);
    const total = this.latencySamples / rate;
    this.latency = {
      resampling,
      lookAhead,
      decision,
      frame,
      rounding: total - resampling - lookAhead - decision - frame,
      total,
    };
    const room = this.latencySamples + 2 * LONGEST_BLOCK + Math.ceil((2 * rate) / frameRate);
    this.#queue = new SampleQueue(room);
    this.#direct = new SampleQueue(room);
    this.#queue.write(new Float32Array(this.latencySamples), this.latencySamples);
    this.#direct.write(new Float32Array(this.latencySamples), this.latencySamples);
  }

  /**
   * Processes the next samples, at most 2048.
   *
   * @param input samples of the voice, or null where none is connected.
   * @param instrument, voice outputs: the dry instrument, and the voice as late as that. As long as the input.
   */
  process(input: Float32Array | null, instrument: Float32Array, voice: Float32Array): void {
    const count = instrument.length;
    if (this.#input.length !== count) this.#input = new Float32Array(count);
    const samples = this.#input;
    if (input && !this.#connected) this.#voice.octaveChoice.begin(this.#settings.startOctaves); // another singer, maybe
    this.#connected = input !== null;
    if (input) copySound(input, samples);
    else samples.fill(0);
    this.#analysis.push(samples);
    this.#direct.write(samples, count);
    const ready = Math.min(count, this.#queue.held);
    this.starved += count - ready;
    instrument.fill(0);
    this.#queue.addTo(instrument, ready);
    voice.fill(0);
    this.#direct.addTo(voice, count);
  }

  get settings(): LiveSettings {
    return this.#settings;
  }

  set settings(settings: LiveSettings) {
    const begins = settings.startOctaves !== this.#settings.startOctaves;
    this.#settings = settings;
    if (begins) this.#voice.octaveChoice.begin(settings.startOctaves);
  }

  /** Octaves that were chosen for the voice by itself. */
  get voiceOctaves(): number {
    return this.#voice.octaveChoice.octaves;
  }

  /** Octaves by which the voice is moved now. */
  get octaveShift(): number {
    return this.#fromKeys ? this.settings.octaves : this.#voice.octaves(this.settings);
  }

  get #fromKeys(): boolean {
    return !this.#connected || this.settings.source === "keys";
  }

  #tick(): void {
    const played = this.#play();
    // As in a clip, where features are float32: in float64 the phases of the two would drift apart.
    played.f0Hz = Math.fround(played.f0Hz);
    played.loudnessDb = Math.fround(played.loudnessDb);
    played.rms = Math.fround(played.rms);
    this.#network.step(played);
    const count = this.#synthesiser.push(played.f0Hz, played.gain, played.pitchedGain);
    this.#queue.write(this.#synthesiser.output, count);
    const voice = this.#analysis.frame;
    const frame = this.#frame;
    if (voice.f0Hz > 0) frame.voiceHz = voice.f0Hz;
    frame.confidence = voice.confidence;
    frame.voiceDb = voice.loudnessDb;
    frame.playedHz = played.f0Hz;
    frame.playedDb = played.gain > 0 ? played.loudnessDb : SILENCE_DB;
    frame.playedPitch = played.pitchedGain;
    this.#onFrame(frame);
  }

  #play(): PlayedFrame {
    const { settings } = this;
    if (this.#fromKeys) {
      this.keys.next(settings);
      return this.keys.frame;
    }
    this.#voice.next(this.#analysis.frame, settings);
    return this.#voice.frame;
  }
}

/** Copies a sound. What is none (NaN, infinite) is silence: state would carry it on for ever. */
function copySound(from: Float32Array, to: Float32Array): void {
  for (let at = 0; at < to.length; at++) {
    const sample = from[at] as number;
    to[at] = Math.abs(sample) <= LOUDEST ? sample : 0;
  }
}
