/** A reverb at another rate. */

import { designPolyphase } from "../filters/polyphase.ts";

const CROSSINGS = 32; // of the sinc, to either side

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
