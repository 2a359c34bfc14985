/** Chooses whole octaves that bring a voice to where an instrument was recorded, while the voice still goes on. */

import type { Statistics } from "../bundle/manifest.ts";
import { instrumentRegister, overlapShift, semitoneOf, smoothed, startingOctaves } from "../features/register.ts";

const LEAST_SECONDS = 0.2; // of notes before anything is corrected
const MOST_SECONDS = 2; // of notes after which nothing is corrected any more

export class OctaveChoice {
  /** Octaves by which the voice is moved. */
  octaves: number;
  readonly #statistics: Statistics;
  readonly #instrument: Float64Array;
  readonly #frameRate: number;
  /** Frames learned from, at each semitone. */
  readonly #counts = new Float64Array(128);
  #count = 0;
  #settled = false;

  constructor(statistics: Statistics, frameRate: number) {
    this.#statistics = statistics;
    this.#instrument = instrumentRegister(statistics);
    this.#frameRate = frameRate;
    this.octaves = startingOctaves(statistics, "middle");
  }

  /** Begins anew, with octaves that are known from before, or as for a voice of middle range. */
  begin(octaves: number | null): void {
    this.octaves = octaves ?? startingOctaves(this.#statistics, "middle");
    this.#counts.fill(0);
    this.#count = 0;
    this.#settled = false;
  }

  /** Learns from the pitch of a note's frame. */
  learn(midi: number): void {
    if (this.#settled) return;
    const at = semitoneOf(midi);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count++;
  }

  /** Between notes the octave is corrected, once at most. */
  rest(): void {
    const seconds = this.#count / this.#frameRate;
    if (this.#settled || seconds < LEAST_SECONDS) return;
    const count = this.#count;
    const better = overlapShift(smoothed(this.#counts.map((frames) => frames / count)), this.#instrument);
    this.#settled = seconds >= MOST_SECONDS || (better !== null && better !== this.octaves);
    if (better !== null) this.octaves = better;
  }
}
