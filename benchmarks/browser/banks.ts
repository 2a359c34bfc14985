/** The banks of harmonics that are compared: the same controls, the same sound, made in different ways. */

import * as tf from "@tensorflow/tfjs-core";
import {
  fusedHarmonics,
  type HarmonicSettings,
  registerPhaseCumsum,
  scannedHarmonics,
} from "../../web/engine/src/tfjs/index.ts";
import type { Controls } from "../../web/tests/engine/tfjs/reference.ts";

export const SECONDS = 4;
export const HARMONICS = 60;
export const SETTINGS: HarmonicSettings = { hop: 64, sampleRate: 16000, envelope: "linear" };
const FRAMES = (SECONDS * SETTINGS.sampleRate) / SETTINGS.hop;

/**
 * - `stock`: as ddsp's graph, a cumsum for every harmonic
 * - `stock_one_cumsum`: one cumsum, multiplied
 * - `phase_cumsum`: as `stock`, with `registerPhaseCumsum`
 * - `scan`: the modulo scan with the harmonics summed in the shader
 * - `fused`: the closed form
 */
export type BankName = "stock" | "stock_one_cumsum" | "phase_cumsum" | "scan" | "fused";

/** Makes a phrase from D4 to D6 with vibrato, every harmonic present. */
export function phrase(): Controls {
  const f0Hz = new Float32Array(FRAMES);
  const amplitude = new Float32Array(FRAMES);
  const distribution = new Float32Array(FRAMES * HARMONICS);
  for (let frame = 0; frame < FRAMES; frame++) {
    const seconds = (frame * SETTINGS.hop) / SETTINGS.sampleRate;
    const semitones = 12 * (1 - Math.cos((Math.PI * seconds) / SECONDS)) + 0.3 * Math.sin(2 * Math.PI * 5.5 * seconds);
    f0Hz[frame] = 293.66 * 2 ** (semitones / 12);
    amplitude[frame] = 0.5 + 0.3 * Math.sin(2 * Math.PI * 0.7 * seconds);
    const row = distribution.subarray(frame * HARMONICS, (frame + 1) * HARMONICS);
    row.forEach((_, k) => {
      row[k] = (1 + 0.5 * Math.sin(k + 3 * seconds)) / (k + 1);
    });
    const sum = row.reduce((total, value) => total + value, 0);
    row.forEach((value, k) => {
      row[k] = value / sum;
    });
  }
  return { f0Hz, amplitude, distribution };
}

/** Renders the controls on the current backend and waits for the samples. */
export async function play(name: BankName, controls: Controls): Promise<Float32Array> {
  const restore = name === "phase_cumsum" ? registerPhaseCumsum() : null;
  const signal = tf.tidy(() => {
    const amplitude = tf.tensor2d(controls.amplitude, [FRAMES, 1]);
    const distribution = tf.tensor2d(controls.distribution, [FRAMES, HARMONICS]);
    if (name === "fused") return fusedHarmonics(amplitude, distribution, controls.f0Hz, SETTINGS);
    if (name === "scan") return scannedHarmonics(amplitude, distribution, perSample(controls.f0Hz), SETTINGS);
    return stock(amplitude, distribution, tf.tensor1d(controls.f0Hz), name === "stock_one_cumsum");
  });
  restore?.();
  const samples = (await signal.data()) as Float32Array;
  signal.dispose();
  return samples;
}

/** f0 at every sample, Hz. */
function perSample(f0Hz: Float32Array): Float64Array {
  const { hop } = SETTINGS;
  return Float64Array.from({ length: f0Hz.length * hop }, (_, i) => {
    const here = f0Hz[Math.floor(i / hop)] ?? 0;
    return here + (((f0Hz[Math.floor(i / hop) + 1] ?? here) - here) * (i % hop)) / hop;
  });
}

/**
 * Renders as ddsp's `core.harmonic_synthesis` and `oscillator_bank` do in TensorFlow.js: envelopes and phases of every
 * harmonic at every sample.
 *
 * @param isOneCumsum sums f0's phase alone and multiplies it: a sixtieth of the scan, but the same float32 drift.
 */
function stock(amplitude: tf.Tensor2D, distribution: tf.Tensor2D, f0Hz: tf.Tensor1D, isOneCumsum: boolean): tf.Tensor {
  const { hop, sampleRate } = SETTINGS;
  const samples = FRAMES * hop;
  const atSamples = (frames: tf.Tensor, channels: number) =>
    tf.reshape(tf.image.resizeBilinear(tf.reshape(frames, [1, FRAMES, 1, channels]) as tf.Tensor4D, [samples, 1]), [
      1,
      samples,
      channels,
    ]);
  const numbers = tf.range(1, HARMONICS + 1);
  const hz = atSamples(f0Hz, 1); // [1, samples, 1]
  const frequencies = tf.mul(hz, numbers); // [1, samples, harmonics]
  const envelopes = atSamples(tf.mul(amplitude, distribution), HARMONICS);
  const audible = tf.where(tf.less(frequencies, sampleRate / 2), envelopes, tf.zerosLike(envelopes));
  const radians = tf.mul(hz, (2 * Math.PI) / sampleRate); // before it is multiplied: 60 x Hz overflows a float16
  const phases = isOneCumsum ? tf.mul(tf.cumsum(radians, 1), numbers) : tf.cumsum(tf.mul(radians, numbers), 1);
  return tf.sum(tf.mul(audible, tf.sin(phases)), 2);
}
