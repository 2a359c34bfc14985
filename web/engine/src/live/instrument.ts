/** The page's side of a live instrument: its nodes, its settings, its keys. */

import type { Instrument } from "../bundle/load.ts";
import { resampleImpulseResponse } from "../synthesis/impulse_response.ts";
import { kernelBytes } from "../wasm/kernels.ts";
import {
  type FramesMessage,
  type FromProcessor,
  PROCESSOR,
  type ProcessorOptions,
  type ToProcessor,
} from "./messages.ts";
import { DEFAULT_SETTINGS, type FrameReport, type Latency, type LiveSettings } from "./types.ts";
import { addWorklet } from "./worklet_loading.ts";

const GLIDE_SECONDS = 0.02; // of gains, so that they do not click
const METER_SAMPLES = 2048;

/** Contexts that have loaded the worklet. */
const prepared = new WeakMap<BaseAudioContext, Promise<void>>();

export interface LiveOptions {
  /**
   * Address of the package's `worklet.js`. Without it the engine loads what lies beside it, or, in a bundle, what it
   * carries itself, from a `blob:` address.
   */
  readonly worklet?: string | URL;
}

/**
 * Makes an instrument that plays in a context.
 *
 * @throws Error the worklet cannot be loaded or does not start; the message states why.
 */
export async function createLiveInstrument(
  context: BaseAudioContext,
  instrument: Instrument,
  { worklet }: LiveOptions = {},
): Promise<LiveInstrument> {
  if (!context.audioWorklet) {
    throw new Error("live playing needs AudioWorklet, which browsers offer only on pages from https: or localhost");
  }
  let ready = prepared.get(context);
  if (!ready) {
    ready = addWorklet(context.audioWorklet, worklet);
    prepared.set(context, ready);
    ready.catch(() => prepared.delete(context)); // so that the next try loads it anew
  }
  await ready;
  const live = new LiveInstrument(context);
  try {
    await live.replaceInstrument(instrument);
  } catch (error) {
    live.close();
    throw error;
  }
  return live;
}

export class LiveInstrument {
  /** Connect a voice here. */
  readonly input: AudioNode;
  /** Connect this to the destination. */
  readonly output: AudioNode;
  /** Called about 25 times a second with the voice's features and what was played. */
  onFrames: ((frames: FrameReport) => void) | null = null;
  /** Called when the audio thread's side has broken down; the instrument is silent from then on. */
  onError: ((error: Error) => void) | null = null;
  readonly #node: AudioWorkletNode;
  readonly #instrumentGain: GainNode;
  readonly #voiceGain: GainNode;
  readonly #roomGain: GainNode;
  readonly #meter: AnalyserNode;
  readonly #meterSamples = new Float32Array(METER_SAMPLES);
  #room: ConvolverNode | null = null;
  #settings: LiveSettings = DEFAULT_SETTINGS;
  #latency: Latency | null = null;
  /** The promise that waits for the newest order to be carried out. */
  #pending: { resolve(): void; reject(error: Error): void } | null = null;
  #order = 0;

  /** Made by `createLiveInstrument`. */
  constructor(context: BaseAudioContext) {
    const processorOptions: ProcessorOptions = { kernels: kernelBytes() };
    this.#node = new AudioWorkletNode(context, PROCESSOR, {
      numberOfInputs: 1,
      numberOfOutputs: 2,
      outputChannelCount: [1, 1],
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions,
    });
    this.#node.onprocessorerror = () => this.#fail(new Error("the instrument broke down on the audio thread"));
    this.#node.port.onmessage = ({ data }: MessageEvent<FromProcessor>) => this.#receive(data);
    this.#instrumentGain = context.createGain();
    this.#voiceGain = context.createGain();
    this.#roomGain = context.createGain();
    this.#meter = context.createAnalyser();
    this.#meter.fftSize = METER_SAMPLES;
    const output = context.createGain();
    this.#node.connect(this.#instrumentGain, 0);
    this.#node.connect(this.#voiceGain, 1);
    for (const node of [this.#instrumentGain, this.#voiceGain, this.#roomGain]) node.connect(output);
    output.connect(this.#meter);
    this.input = this.#node;
    this.output = output;
    this.#applyGains(0);
  }

  /** The current settings. */
  get settings(): LiveSettings {
    return this.#settings;
  }

  /** From `input` to `output`, what the method itself takes. */
  get latency(): Latency {
    if (!this.#latency) throw new Error("the instrument is not ready yet");
    return this.#latency;
  }

  /** @throws RangeError a setting is not a finite number. */
  set(settings: Partial<LiveSettings>): void {
    checkFinite(settings);
    this.#settings = { ...this.#settings, ...settings };
    this.#send({ type: "set", settings: this.#settings });
    this.#applyGains(GLIDE_SECONDS);
  }

  /** Presses a key. @param midi 69 is 440 Hz. @param velocity 0 to 1. @throws RangeError either is not a finite number. */
  noteOn(midi: number, velocity: number): void {
    checkFinite({ midi, velocity });
    this.#send({ type: "noteOn", midi, velocity: Math.max(0, Math.min(1, velocity)) });
  }

  noteOff(midi: number): void {
    this.#send({ type: "noteOff", midi });
  }

  /** @param semitones by which all keys sound higher. @throws RangeError it is not a finite number. */
  bend(semitones: number): void {
    checkFinite({ semitones });
    this.#send({ type: "bend", semitones });
  }

  allNotesOff(): void {
    this.#send({ type: "allNotesOff" });
  }

  /** Plays another instrument from now on; settings stay, and keys that are down are struck anew. */
  async replaceInstrument(instrument: Instrument): Promise<void> {
    this.#pending?.reject(new Error("another instrument was chosen meanwhile"));
    const { manifest, tensors } = instrument;
    const order = ++this.#order;
    await new Promise<void>((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#send({ type: "instrument", order, parts: { manifest, tensors } });
    });
    this.#replaceRoom(instrument);
  }

  /** Lets go of everything. */
  close(): void {
    this.#send({ type: "close" });
    this.#pending?.reject(new Error("the instrument was closed"));
    this.#pending = null;
    this.#node.port.onmessage = null;
    this.#node.disconnect();
    this.output.disconnect();
    this.#room?.disconnect();
  }

  #send(message: ToProcessor): void {
    this.#node.port.postMessage(message);
  }

  #replaceRoom({ manifest, impulseResponse }: Instrument): void {
    const { context } = this.#node;
    if (this.#room) this.#instrumentGain.disconnect(this.#room); // what rings in it rings out
    this.#room = null;
    if (!impulseResponse.length) return;
    const taps = resampleImpulseResponse(impulseResponse, manifest.audio.sample_rate, context.sampleRate);
    const buffer = context.createBuffer(1, taps.length, context.sampleRate);
    buffer.copyToChannel(Float32Array.from(taps), 0);
    this.#room = new ConvolverNode(context, { buffer, disableNormalization: true });
    this.#instrumentGain.connect(this.#room).connect(this.#roomGain);
  }

  #applyGains(seconds: number): void {
    const { mix, room } = this.#settings;
    const { currentTime } = this.#node.context;
    const turn = (node: GainNode, value: number) => {
      if (seconds) node.gain.setTargetAtTime(value, currentTime, seconds);
      else node.gain.value = value;
    };
    turn(this.#instrumentGain, mix);
    turn(this.#voiceGain, 1 - mix);
    turn(this.#roomGain, room);
  }

  #receive(message: FromProcessor): void {
    if (message.type === "frames") {
      this.onFrames?.(this.#reportOf(message));
    } else if (message.order !== this.#order) {
      return; // that instrument is no longer wanted
    } else if (message.type === "ready") {
      this.#latency = message.latency;
      this.#pending?.resolve();
      this.#pending = null;
    } else {
      this.#fail(new Error(`the instrument cannot be played live: ${message.message}`));
    }
  }

  #reportOf({
    voiceHz,
    confidence,
    voiceDb,
    playedHz,
    playedDb,
    time,
    octaveShift,
    voiceOctaves,
    load,
  }: FramesMessage): FrameReport {
    const samples = this.#meterSamples;
    this.#meter.getFloatTimeDomainData(samples);
    let [peak, energy] = [0, 0];
    for (const sample of samples) {
      peak = Math.max(peak, Math.abs(sample));
      energy += sample ** 2;
    }
    return {
      voice: { f0Hz: voiceHz, confidence, loudnessDb: voiceDb },
      played: { f0Hz: playedHz, loudnessDb: playedDb },
      time,
      output: { peak, rms: Math.sqrt(energy / samples.length) },
      octaveShift,
      voiceOctaves,
      load,
    };
  }

  #fail(error: Error): void {
    if (this.#pending) this.#pending.reject(error);
    else this.onError?.(error);
    this.#pending = null;
  }
}

/** One value that is no number would stay in the network's state for good. */
function checkFinite(values: object): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${name} is ${value}`);
  }
}
