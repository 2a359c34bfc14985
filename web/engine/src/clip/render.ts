/** Clip mode without TF.js: features of a whole clip -> the instrument's sound. */

import type { Instrument } from "../bundle/load.ts";
import { StreamingNetwork } from "../network/streaming_network.ts";
import { resampleImpulseResponse } from "../synthesis/impulse_response.ts";
import { type Noise, NoiseSource } from "../synthesis/noise_source.ts";
import { Synthesiser } from "../synthesis/synthesiser.ts";
import { ThreadPause } from "../thread_pause.ts";
import { Block, createKernels, padded } from "../wasm/kernels.ts";

import { type ClipFeatures, type Controls, checkFeatures, controlsWidth, normaliseHarmonics } from "./controls.ts";
import { convolve, convolveInJs } from "./convolution.ts";
import { controlsInJs } from "./js_network.ts";
import { synthesiseInJs } from "./js_synthesiser.ts";

export interface RenderOptions {
  /** Of the noise; the same seed gives the same sound. Default 0. */
  readonly seed?: number;
  /** Hz, of the sound. Default: the bundle's. */
  readonly sampleRate?: number;
  /** Whether the instrument's reverb sounds, and rings out. Default true. */
  readonly reverb?: boolean;
  /** WebAssembly (default), or plain JavaScript where there is none. */
  readonly synthesiser?: "wasm" | "js";
  readonly signal?: AbortSignal;
  /** Called with the share that is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

const RELEASE_SECONDS = 0.01; // in which a sound that ends in the middle of a note dies away, so that it does not click

/**
 * Plays features on an instrument.
 *
 * @returns samples: round(frames * rate / frame rate) of them, and as many as the reverb rings on.
 * @throws RangeError the features have no frames or differ in length. An abort throws the signal's reason.
 */
export async function renderClip(
  instrument: Instrument,
  features: ClipFeatures,
  options: RenderOptions = {},
): Promise<Float32Array> {
  checkFeatures(features);
  const rate = options.sampleRate ?? instrument.manifest.audio.sample_rate;
  const noise = new NoiseSource(options.seed);
  if (options.synthesiser === "js") {
    const controls = controlsInJs(instrument.manifest, instrument.tensors, features);
    return finishClip(instrument, await synthesise(instrument, controls, { ...options, noise }), options);
  }
  const kernels = await createKernels();
  const network = new StreamingNetwork(kernels, instrument.manifest, instrument.tensors);
  const frame = { f0Hz: 0, loudnessDb: 0, rms: 0 };
  const runNetwork = (t: number) => {
    frame.f0Hz = features.f0Hz[t] as number;
    frame.loudnessDb = features.loudnessDb[t] as number;
    frame.rms = features.rms[t] as number;
    network.step(frame);
  };
  const synthesiser = new Synthesiser(kernels, instrument.manifest, rate, network.controls, noise);
  const dry = await play(synthesiser, instrument, features, rate, runNetwork, options);
  return finishClip(instrument, dry, options);
}

/** Options of `synthesise`. */
export interface SynthesiseOptions extends RenderOptions {
  /** Instead of what the seed gives. */
  readonly noise?: Noise;
}

/** Renders the dry sound of controls, wherever these were computed. */
export async function synthesise(
  instrument: Instrument,
  controls: Controls,
  options: SynthesiseOptions = {},
): Promise<Float32Array> {
  const { manifest } = instrument;
  const rate = options.sampleRate ?? manifest.audio.sample_rate;
  const noise = options.noise ?? new NoiseSource(options.seed);
  if (options.synthesiser === "js") return Float32Array.from(synthesiseInJs(manifest, controls, rate, noise));
  const kernels = await createKernels();
  const frame = new Block(kernels, padded(controls.width));
  const synthesiser = new Synthesiser(kernels, manifest, rate, frame, noise);
  const { width, values } = controls;
  const take = (t: number) => frame.values.set(values.subarray(t * width, (t + 1) * width));
  return play(synthesiser, instrument, controls, rate, take, options);
}

/** Fades dry sound out at its end and adds the reverb, as the options state. */
export async function finishClip(
  instrument: Instrument,
  dry: Float32Array,
  { reverb = true, sampleRate, synthesiser }: RenderOptions,
): Promise<Float32Array> {
  const own = instrument.manifest.audio.sample_rate;
  const rate = sampleRate ?? own;
  const release = RELEASE_SECONDS * rate;
  for (let left = 1; left < release && left <= dry.length; left++) {
    dry[dry.length - left] = (dry[dry.length - left] as number) * (left / release);
  }
  if (!reverb || !instrument.impulseResponse.length) return dry;
  const taps = resampleImpulseResponse(instrument.impulseResponse, own, rate);
  const wet = synthesiser === "js" ? Float32Array.from(convolveInJs(dry, taps)) : await convolve(dry, taps);
  for (let i = 0; i < dry.length; i++) wet[i] = (wet[i] as number) + (dry[i] as number);
  return wet;
}

/** Computes the controls of a clip by the network on the kernels. */
export async function controlsOf(instrument: Instrument, features: ClipFeatures): Promise<Controls> {
  checkFeatures(features);
  const { manifest, tensors } = instrument;
  const network = new StreamingNetwork(await createKernels(), manifest, tensors);
  const { f0Hz, loudnessDb, rms, gain } = features;
  const width = controlsWidth(manifest);
  const values = new Float32Array(f0Hz.length * width);
  for (let t = 0; t < f0Hz.length; t++) {
    network.step({ f0Hz: f0Hz[t] as number, loudnessDb: loudnessDb[t] as number, rms: rms[t] as number });
    values.set(network.controls.values.subarray(0, width), t * width);
  }
  const controls = { frames: f0Hz.length, width, values, f0Hz, gain };
  normaliseHarmonics(manifest, controls);
  return controls;
}

/** Pushes all frames through a synthesiser; the last one is held until all of its sound has come out. */
async function play(
  synthesiser: Synthesiser,
  { manifest }: Instrument,
  { f0Hz, gain }: Pick<Controls, "f0Hz" | "gain">,
  rate: number,
  ready: (frame: number) => void,
  { signal, onProgress }: RenderOptions,
): Promise<Float32Array> {
  const { frame_rate: frameRate } = manifest.audio;
  const frames = f0Hz.length;
  const out = new Float32Array(Math.round((frames * rate) / frameRate));
  let at = 0; // index of the next sample
  const pause = new ThreadPause();
  for (let t = 0; at < out.length; t++) {
    const frame = Math.min(t, frames - 1);
    ready(frame);
    const count = synthesiser.push(f0Hz[frame] as number, gain?.[frame] ?? 1);
    for (let i = 0; i < count && at + i < out.length; i++) out[at + i] = synthesiser.output[i] as number;
    at += count;
    if (pause.due) {
      onProgress?.(Math.min(1, at / out.length));
      await pause.take(signal);
    }
  }
  onProgress?.(1);
  return out;
}
