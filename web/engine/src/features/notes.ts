/** Finds the notes in features (`data/features/statistics.py`, detect_notes). */

import { FLOOR_DB } from "./floor.ts";

export const CONFIDENCE_THRESHOLD = 0.7;
const SMOOTHING_FRAMES = 40;

/**
 * Rates how surely each frame is part of a note, [frames]: a note is on where the ratio is at least 1. It is
 * smooth(confidence ** 2) * (loudness + 80) over 0.7 ** 2 * (mean loudness + 80).
 */
export function noteRatio(loudnessDb: ArrayLike<number>, confidence: ArrayLike<number>): Float64Array {
  const frames = loudnessDb.length;
  const height = Float64Array.from(loudnessDb, (db) => db - FLOOR_DB);
  const typical = (height.reduce((sum, value) => sum + value, 0) / frames) * CONFIDENCE_THRESHOLD ** 2;
  if (!(typical > 0)) return new Float64Array(frames);
  const sure = smooth(
    Float64Array.from(confidence, (value) => value ** 2),
    Math.min(SMOOTHING_FRAMES, frames),
  );
  return sure.map((value, t) => (value * (height[t] as number)) / typical);
}

/** Averages over a moving window, to the same length, zeros beyond both ends: frames t - (n - 1) // 2 .. t + n // 2. */
export function smooth(values: Float64Array, frames: number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let t = 0; t < values.length; t++) sums[t + 1] = (sums[t] as number) + (values[t] as number);
  const [before, after] = [Math.floor((frames - 1) / 2), Math.floor(frames / 2)];
  return values.map((_, t) => {
    const first = Math.max(0, t - before);
    const end = Math.min(values.length, t + after + 1);
    return ((sums[end] as number) - (sums[first] as number)) / frames;
  });
}
