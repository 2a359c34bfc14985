/** A reverb as a bundle describes it, and at another rate. */

import type { ReverbDescription } from "../bundle/manifest.ts";
import { designPolyphase } from "../filters/polyphase.ts";

import { lateTail } from "./late_tail.ts";

const CROSSINGS = 32; // of the sinc, to either side

/**
 * Completes an impulse response by the late tail that its description has.
 *
 * @param stored the taps of its file.
 * @returns [taps].
 */
export function wholeResponse(stored: Float32Array, described: ReverbDescription): Float32Array {
  const { late, taps, trained_taps: trained = taps, sample_rate: rate } = described;
  if (!late) return stored;
  const whole = new Float32Array(taps);
  whole.set(stored);
  whole.set(lateTail(late, trained - stored.length, rate).subarray(0, taps - stored.length), stored.length);
  return whole;
}

/**
 * Resamples an impulse response to another rate: the same room, at the same level, with nothing above either Nyquist.
 *
 * @param from, to whole rates in Hz.
 * @returns [ceil(taps * to / from)]; the same taps where the rates are equal.
 */
export function resampleImpulseResponse(taps: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return taps;
  const { table, phases, length, advance } = designPolyphase(from, to, CROSSINGS, 1);
  const out = new Float32Array(Math.ceil((taps.length * to) / from));
  for (let m = 0; m < out.length; m++) {
    const first = Math.floor((m * advance) / phases) - (length / 2 - 1);
    const filter = ((m * advance) % phases) * length;
    let sum = 0;
    const end = Math.min(length, taps.length - first);
    for (let i = Math.max(0, -first); i < end; i++) sum += (taps[first + i] as number) * (table[filter + i] as number);
    out[m] = (sum * from) / to;
  }
  return out;
}
