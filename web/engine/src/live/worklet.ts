/** The audio thread's side: runs a `LiveCore` in an AudioWorklet. Built as a file of its own. */

import { NoiseSource } from "../synthesis/noise_source.ts";
import { instantiate } from "../wasm/kernels.ts";
import { LiveCore, type LiveFrame } from "./core.ts";
import {
  type FramesMessage,
  type FromProcessor,
  type Parts,
  PROCESSOR,
  type ProcessorOptions,
  type ToProcessor,
} from "./messages.ts";
import { DEFAULT_SETTINGS } from "./types.ts";

const REPORTS_A_SECOND = 25;
const LOAD_SECONDS = 1; // over which the load is averaged
const LEAVING_SECONDS = 0.01; // in which an instrument dies away that another one replaces

class InstrumentProcessor extends AudioWorkletProcessor {
  readonly #module: WebAssembly.Module;
  #core: LiveCore | null = null;
  /** The instrument before, while it dies away, and the samples that it has left. */
  #leaving: LiveCore | null = null;
  #left = 0;
  #report: FramesMessage | null = null;
  #settings = DEFAULT_SETTINGS;
  #closed = false;
  #load = 0;

  constructor(options: AudioWorkletNodeOptions) {
    super();
    const { kernels } = options.processorOptions as ProcessorOptions;
    this.#module = new WebAssembly.Module(kernels);
    this.port.onmessage = ({ data }: MessageEvent<ToProcessor>) => this.#receive(data);
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const core = this.#core;
    const instrument = outputs[0]?.[0];
    const voice = outputs[1]?.[0];
    if (!core || !instrument || !voice) return !this.#closed;
    const began = now();
    const input = inputs[0]?.[0] ?? null;
    core.process(input, instrument, voice);
    if (this.#leaving) this.#leave(this.#leaving, input, instrument, voice);
    const spent = ((now() - began) / 1000) * (sampleRate / instrument.length);
    this.#load += (spent - this.#load) * (instrument.length / (LOAD_SECONDS * sampleRate));
    this.#send(core, instrument.length);
    return !this.#closed;
  }

  #receive(message: ToProcessor): void {
    const keys = this.#core?.keys;
    switch (message.type) {
      case "instrument":
        this.#replace(message.parts, message.order);
        break;
      case "set":
        this.#settings = message.settings;
        if (this.#core) this.#core.settings = message.settings;
        break;
      case "noteOn":
        keys?.noteOn(message.midi, message.velocity, this.#settings);
        break;
      case "noteOff":
        keys?.noteOff(message.midi, this.#settings);
        break;
      case "bend":
        keys?.bend(message.semitones);
        break;
      case "allNotesOff":
        keys?.allNotesOff();
        break;
      case "close":
        this.#closed = true;
    }
  }

  #replace({ manifest, tensors }: Parts, order: number): void {
    try {
      const kernels = instantiate(this.#module);
      const report = emptyReport(Math.ceil(manifest.audio.frame_rate / REPORTS_A_SECOND));
      const onFrame = (frame: Readonly<LiveFrame>) => appendFrame(report, frame);
      const core = new LiveCore(kernels, manifest, tensors, sampleRate, new NoiseSource(), onFrame);
      core.settings = this.#settings;
      if (this.#core) core.keys.takeOver(this.#core.keys);
      this.#leaving = this.#core;
      this.#left = Math.round(LEAVING_SECONDS * sampleRate);
      this.#core = core;
      this.#report = report;
      this.#post({ type: "ready", order, latency: core.latency });
    } catch (error) {
      this.#post({ type: "failed", order, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Adds what is left of the instrument before to what sounds; the new one is silent at first. */
  #leave(core: LiveCore, input: Float32Array | null, instrument: Float32Array, voice: Float32Array): void {
    const [sound, direct] = [new Float32Array(instrument.length), new Float32Array(voice.length)];
    core.process(input, sound, direct);
    for (let i = 0; i < sound.length && this.#left > 0; i++) {
      const share = this.#left-- / (LEAVING_SECONDS * sampleRate);
      instrument[i] = (instrument[i] as number) + share * (sound[i] as number);
      voice[i] = (voice[i] as number) + share * (direct[i] as number);
    }
    if (this.#left === 0) this.#leaving = null;
  }

  /** Posts the report, once it is full. */
  #send(core: LiveCore, samples: number): void {
    const report = this.#report;
    if (!report || report.count < report.voiceHz.length) return;
    const { resampling, lookAhead, decision } = core.latency;
    report.time = (currentFrame + samples) / sampleRate - resampling - lookAhead - decision;
    report.octaveShift = core.octaveShift;
    report.voiceOctaves = core.voiceOctaves;
    report.load = this.#load;
    report.starved = core.starved;
    this.#post(report);
    report.count = 0;
  }

  #post(message: FromProcessor): void {
    this.port.postMessage(message);
  }
}

/** ms. Worklets have no clock for sure; the coarse one is right on average. */
function now(): number {
  return globalThis.performance?.now() ?? Date.now();
}

function emptyReport(frames: number): FramesMessage {
  const values = () => new Float32Array(frames);
  const arrays = { voiceHz: values(), confidence: values(), voiceDb: values(), playedHz: values(), playedDb: values() };
  return { type: "frames", count: 0, ...arrays, time: 0, octaveShift: 0, voiceOctaves: 0, load: 0, starved: 0 };
}

function appendFrame(report: FramesMessage, frame: Readonly<LiveFrame>): void {
  const index = report.count;
  if (index === report.voiceHz.length) return; // more frames than a report holds came at once
  report.voiceHz[index] = frame.voiceHz;
  report.confidence[index] = frame.confidence;
  report.voiceDb[index] = frame.voiceDb;
  report.playedHz[index] = frame.playedHz;
  report.playedDb[index] = frame.playedDb;
  report.count = index + 1;
}

registerProcessor(PROCESSOR, InstrumentProcessor);
