/** Levels in dB of full scale. */

import { FLOOR_DB } from "swara-engine";

/** Converts a linear amplitude to dB, no lower than `FLOOR_DB`. */
export function decibels(amplitude: number): number {
  return amplitude > 0 ? Math.max(FLOOR_DB, 20 * Math.log10(amplitude)) : FLOOR_DB;
}

/** Computes the root mean square of [samples], linear. */
export function rms(audio: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < audio.length; index++) sum += (audio[index] ?? 0) ** 2;
  return audio.length > 0 ? Math.sqrt(sum / audio.length) : 0;
}

/** Finds the lowest and highest sample in each of `bins` equal stretches, to draw a waveform from. [bins] each. */
export function extremes(audio: Float32Array, bins: number): { low: Float32Array; high: Float32Array } {
  const low = new Float32Array(bins);
  const high = new Float32Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    const end = Math.floor(((bin + 1) * audio.length) / bins);
    for (let at = Math.floor((bin * audio.length) / bins); at < end; at++) {
      const sample = audio[at] ?? 0;
      if (sample < (low[bin] ?? 0)) low[bin] = sample;
      if (sample > (high[bin] ?? 0)) high[bin] = sample;
    }
  }
  return { low, high };
}

/** Makes a curve for a WaveShaper that keeps all below 0.8 and bends what is above so that it never exceeds 1. */
export function softLimit(): Float32Array<ArrayBuffer> {
  const points = 4097;
  const knee = 0.8;
  return Float32Array.from({ length: points }, (_, index) => {
    const sample = (2 * index) / (points - 1) - 1;
    const size = Math.abs(sample);
    const bent = size <= knee ? size : knee + (1 - knee) * Math.tanh((size - knee) / (1 - knee));
    return Math.sign(sample) * bent;
  });
}
