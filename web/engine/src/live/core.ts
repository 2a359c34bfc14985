/**
 * The whole live instrument, without Web Audio: samples of a voice in, samples of the instrument out. It makes no
 * objects while it runs.
 *
 * Every frame that the listener tells is a tick: what plays decides on a frame, the network says how it sounds, and the
 * synthesiser makes the way to it. A queue between them and the output holds as much silence at first as all of that
 * is late, so it never runs dry.
 */

import type { Manifest } from "../bundle/manifest.ts";
import { Listener, LOUDEST } from "../features/listener.ts";
import type { Tensors } from "../network/layers.ts";
import { StreamingNetwork } from "../network/network.ts";
import type { Noise } from "../synthesis/noise_source.ts";
import { SampleQueue } from "../synthesis/sample_queue.ts";
import { Synthesiser } from "../synthesis/synthesiser.ts";
import type { KernelExports } from "../wasm/kernels.ts";
import { Keys } from "./keys.ts";
import type { PlayedFrame } from "./part.ts";
import { DEFAULT_SETTINGS, type Latency, type LiveSettings } from "./types.ts";
import { Voice } from "./voice.ts";

const LONGEST_BLOCK = 2048;
const SILENT_DB = -120;

/** A frame, as `onFrame` is told of it. f0Hz of what was heard goes on where there is no pitch. */
export interface LiveFrame {
  heardHz: number;
  confidence: number;
  heardDb: number;
  playedHz: number;
  playedDb: number;
}

export class LiveCore {
  settings: LiveSettings = DEFAULT_SETTINGS;
  readonly keys: Keys;
  readonly latency: Latency;
  /** Samples from input to output. */
  readonly latencySamples: number;
  /** Samples that were wanted and not there: none, ever, unless something is wrong here. */
  starved = 0;
  readonly #frame: LiveFrame = { heardHz: 440, confidence: 0, heardDb: -80, playedHz: 440, playedDb: SILENT_DB };
  readonly #listener: Listener;
  readonly #voice: Voice;
  readonly #network: StreamingNetwork;
  readonly #synthesiser: Synthesiser;
  readonly #queue: SampleQueue;
  readonly #direct: SampleQueue;
  #heard = new Float32Array(128); // a context's own block
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
    this.#listener = new Listener(kernels, manifest.audio, rate, LONGEST_BLOCK, () => this.#tick());
    this.#network = new StreamingNetwork(kernels, manifest, tensors);
    this.#synthesiser = new Synthesiser(kernels, manifest, rate, this.#network.controls, noise);
    const { resampling, lookAhead, decision } = this.#listener;
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
   * The next samples, at most 2048.
   *
   * @param input of the voice, or null where none is connected.
   * @param instrument, voice what comes out: the dry instrument, and the voice as late as that. As long as the input.
   */
  process(input: Float32Array | null, instrument: Float32Array, voice: Float32Array): void {
    const count = instrument.length;
    if (this.#heard.length !== count) this.#heard = new Float32Array(count);
    const heard = this.#heard;
    this.#connected = input !== null;
    if (input) copySound(input, heard);
    else heard.fill(0);
    this.#listener.push(heard);
    this.#direct.write(heard, count);
    const ready = Math.min(count, this.#queue.held);
    this.starved += count - ready;
    instrument.fill(0);
    this.#queue.addTo(instrument, ready);
    voice.fill(0);
    this.#direct.addTo(voice, count);
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
    const count = this.#synthesiser.push(played.f0Hz, played.gain);
    this.#queue.write(this.#synthesiser.output, count);
    const { heard } = this.#listener;
    const frame = this.#frame;
    if (heard.f0Hz > 0) frame.heardHz = heard.f0Hz;
    frame.confidence = heard.confidence;
    frame.heardDb = heard.loudnessDb;
    frame.playedHz = played.f0Hz;
    frame.playedDb = played.gain > 0 ? played.loudnessDb : SILENT_DB;
    this.#onFrame(frame);
  }

  #play(): PlayedFrame {
    const { settings } = this;
    if (this.#fromKeys) {
      this.keys.next(settings);
      return this.keys.frame;
    }
    this.#voice.next(this.#listener.heard, settings);
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
