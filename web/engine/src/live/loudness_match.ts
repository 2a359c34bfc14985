/** Gives a voice the loudness of an instrument while the voice still goes on. */

import { FLOOR_DB } from "../features/floor.ts";
import { valueAtRank } from "../features/quantiles.ts";
import { remainder } from "./played_frame.ts";

const BINS = 100; // of 1 dB, from the floor up
const MEMORY_SECONDS = 60; // in which a frame loses nine tenths of its weight
/** Before the first note: a voice between these, with the weight of half a second of it. */
const EXPECTED_DB = [-50, -15] as const;
const EXPECTED_SECONDS = 0.5;
const SOFTEST_RANK = 0.02;

export class LoudnessMatch {
  readonly #quantiles: ArrayLike<number>;
  /** Weight of the note frames that were so loud. */
  readonly #counts = new Float64Array(BINS);
  readonly #fading: number;
  #total = 0;

  /** @param quantiles of the instrument's notes, dB. */
  constructor(quantiles: ArrayLike<number>, frameRate: number) {
    this.#quantiles = quantiles;
    this.#fading = remainder(MEMORY_SECONDS, frameRate);
    const [from, to] = EXPECTED_DB;
    const weight = (EXPECTED_SECONDS * frameRate) / (to - from);
    for (let db = from; db < to; db++) this.#counts[db - FLOOR_DB] = weight;
    this.#total = weight * (to - from);
  }

  /** Remembers the loudness of a frame in which a note sounds. */
  learn(db: number): void {
    const bin = Math.max(0, Math.min(BINS - 1, Math.floor(db - FLOOR_DB)));
    for (let i = 0; i < BINS; i++) this.#counts[i] = (this.#counts[i] as number) * this.#fading;
    this.#counts[bin] = (this.#counts[bin] as number) + 1;
    this.#total = this.#total * this.#fading + 1;
  }

  /** Looks up the instrument's loudness of the same rank. What is softer than the notes stays as much softer. */
  match(db: number): number {
    const softest = this.#dbAtRank(SOFTEST_RANK);
    if (db <= softest) return valueAtRank(SOFTEST_RANK, this.#quantiles) - (softest - db);
    return valueAtRank(this.#rankOf(db), this.#quantiles);
  }

  #rankOf(db: number): number {
    const height = db - FLOOR_DB;
    let below = 0;
    for (let i = 0; i < BINS && i + 1 <= height; i++) below += this.#counts[i] as number;
    const bin = Math.floor(height);
    if (bin >= 0 && bin < BINS) below += (height - bin) * (this.#counts[bin] as number);
    return below / this.#total;
  }

  #dbAtRank(rank: number): number {
    let left = rank * this.#total;
    for (let i = 0; i < BINS; i++) {
      const count = this.#counts[i] as number;
      if (left <= count) return FLOOR_DB + i + (count > 0 ? left / count : 0);
      left -= count;
    }
    return FLOOR_DB + BINS;
  }
}
