/** The benchmark's page: functions for the command line that drives it. */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import { referenceHarmonics, snrDb } from "../../web/tests/engine/tfjs/reference.ts";
import { type BankName, phrase, play, SETTINGS } from "./banks.ts";
import { type ClipBench, type ClipPath, loadClipBench } from "./clips.ts";
import { countGlBytes } from "./gl_bytes.ts";
import {
  type LatencyResult,
  type Loopback,
  latency,
  openLoopback,
  type Underruns,
  underruns,
  wholeTimesRealTime,
} from "./live.ts";
import { timesRealTime } from "./synthesis.ts";

const bytes = countGlBytes();

export interface BankResult {
  /** Bytes on the graphics card at most in a first run. */
  readonly peakBytes: number;
  /** Against float64; null where a sample is not a number. */
  readonly snrDb: number | null;
  /** Share of samples that are no numbers. */
  readonly notFinite: number;
}

export interface MemoryResult {
  readonly peakBytes: number;
  readonly heldBytes: number;
  readonly tensors: number;
}

export interface BenchmarkPage {
  /** Starts a backend, optionally with float16 textures. Gives the renderer behind WebGL. */
  start(backend: string, isFloat16: boolean): Promise<string | null>;
  /** One run of a bank on a page that has run nothing. */
  bank(name: BankName): Promise<BankResult>;
  /** ms of every run, banks taking turns so that they share what the machine does besides. */
  bankTimes(names: readonly BankName[], runs: number): Promise<Record<string, number[]>>;
  /** ms to load a bundle's network or full graph onto the current backend. */
  loadClip(url: string, path: ClipPath): Promise<number>;
  /** ms of one clip after the other. */
  clipTimes(runs: number): Promise<number[]>;
  /** SNR, dB, against plain JavaScript in float64. */
  clipExactness(): Promise<number>;
  /** Memory held after each of so many clips, and the most while it ran. */
  clipMemory(runs: number): Promise<MemoryResult[]>;
  /** Seconds of sound that the live synthesiser makes in one second of this thread. */
  timesRealTime(url: string): Promise<number>;
  wholeTimesRealTime(url: string, seconds: number): Promise<number>;
  /** These two play: the page must have been clicked. */
  underruns(url: string, seconds: number): Promise<Underruns>;
  latency(url: string, isStream: boolean): Promise<LatencyResult>;
  /** Plays the microphone through an instrument, or bare, until the page is closed. */
  openLoopback(url: string | null): Promise<Loopback>;
}

declare global {
  var swaraBenchmark: BenchmarkPage;
}

let clips: ClipBench | null = null;

globalThis.swaraBenchmark = {
  async start(backend, isFloat16) {
    setWasmPaths(`${location.origin}/wasm/`);
    tf.env().set("WEBGL_FORCE_F16_TEXTURES", isFloat16);
    if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend does not start here`);
    await tf.ready();
    const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
    const unmasked = gl?.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL;
    return gl?.getParameter(unmasked ?? gl.RENDERER) ?? null;
  },

  async bank(name) {
    const controls = phrase();
    bytes.resetPeak();
    const signal = await play(name, controls);
    const peakBytes = bytes.peak;
    const snr = snrDb(referenceHarmonics(controls, SETTINGS), signal);
    const notFinite = signal.reduce((count, value) => count + Number(!Number.isFinite(value)), 0) / signal.length;
    return { peakBytes, snrDb: Number.isFinite(snr) ? snr : null, notFinite };
  },

  async bankTimes(names, runs) {
    const controls = phrase();
    const times: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
    for (const name of names) await play(name, controls); // compiles shaders
    for (let run = 0; run < runs; run++) {
      for (const name of names) times[name]?.push(await timed(() => play(name, controls)));
    }
    return times;
  },

  async loadClip(url, path) {
    clips?.dispose();
    const begun = performance.now();
    clips = await loadClipBench(url, path);
    return performance.now() - begun;
  },

  async clipTimes(runs) {
    const bench = loaded();
    const times: number[] = [];
    for (let run = 0; run < runs; run++) times.push(await timed(() => bench.play()));
    return times;
  },

  clipExactness: () => loaded().exactness(),

  async clipMemory(runs) {
    const bench = loaded();
    const results: MemoryResult[] = [];
    for (let run = 0; run < runs; run++) {
      bytes.resetPeak();
      await bench.play();
      results.push({ peakBytes: bytes.peak, heldBytes: bytes.held, tensors: tf.memory().numTensors });
    }
    return results;
  },

  timesRealTime,
  wholeTimesRealTime,
  underruns,
  latency,
  openLoopback,
};

function loaded(): ClipBench {
  if (clips === null) throw new Error("no bundle is loaded");
  return clips;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
