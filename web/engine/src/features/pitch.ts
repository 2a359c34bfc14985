/**
 * A causal pitch tracker: every frame offers periods at which it resembles itself (McLeod and Wyvill 2005, "A smarter
 * way to find pitch"), or to have no pitch; of all the ways through the frames the cheapest is taken (Viterbi),
 * decided a few frames late.
 */

import { Block, type KernelExports } from "../wasm/kernels.ts";

/** Hz, of the audio that is tracked. */
export const TRACKER_RATE = 16000;
const LOWEST_HZ = 46.875; // the range of the tracker that training uses
const HIGHEST_HZ = 2100;
const WINDOW = 512;
const SHORTEST = Math.floor(TRACKER_RATE / HIGHEST_HZ);
const LONGEST = Math.ceil(TRACKER_RATE / LOWEST_HZ) + 1;
const FLOOR = WINDOW * 1e-14; // energy of -140 dB: a soft voice is as much like itself as a loud one, silence is not
const LEAST_LIKENESS = 0.3;
const CANDIDATES = 8;
const STATES = CANDIDATES + 1; // the last one has no pitch

// Of the windows in which a pitch that is decided at once is measured anew
const PERIODS = 2;
const SHORTEST_WINDOW = 192;
const NEAR = 0.06; // share of its period around which it is searched for

// Costs, in likeness
const PER_OCTAVE = 0.02; // of a lower candidate: a period's multiples are periods too
const UNVOICED = 0.55;
const CHANGE = 0.15; // between pitch and none
const LEAP = 0.6; // of an octave; at most MOST_LEAP
const MOST_LEAP = 1;

/** Samples of a window and all that it is compared with. */
export const PITCH_REACH = WINDOW + LONGEST;

export class PitchTracker {
  /** Frames after a frame before its pitch is decided. */
  readonly decisionFrames: number;
  /** Pitch of the frame that `step` decided: Hz, 0 where there is none. */
  f0Hz = 0;
  /** Confidence of that frame, 0 to 1: from 0.5 where there is a pitch, below where there is none. */
  confidence = 0;
  readonly #kernels: KernelExports;
  readonly #likeness: Block;
  /** For each state: octaves above the lowest pitch, likeness, cost of the cheapest way to it; now and a frame ago. */
  #octaves = new Float64Array(STATES);
  #alike = new Float64Array(STATES);
  #costs = new Float64Array(STATES);
  #octavesBefore = new Float64Array(STATES);
  #costsBefore = new Float64Array(STATES).fill(0);
  /** The last frames, [decisionFrames + 1, STATES]: where the cheapest way to each state came from, and its pitch. */
  readonly #from: Int32Array;
  readonly #pitches: Float64Array;
  readonly #likenesses: Float64Array;
  #frame = 0;

  /** @param frameRate Hz, of `step`. @param decisionSeconds s after a frame in which its pitch is decided. */
  constructor(kernels: KernelExports, frameRate: number, decisionSeconds: number) {
    this.decisionFrames = Math.round(decisionSeconds * frameRate);
    const kept = (this.decisionFrames + 1) * STATES;
    this.#from = new Int32Array(kept);
    this.#pitches = new Float64Array(kept);
    this.#likenesses = new Float64Array(kept);
    this.#kernels = kernels;
    this.#likeness = new Block(kernels, LONGEST + 1);
    this.#alike.fill(Number.NEGATIVE_INFINITY);
    this.#octavesBefore.fill(-1);
  }

  /**
   * Takes the next frame and decides on the one `decisionFrames` before it.
   *
   * @param end address of the first sample after the frame's window.
   */
  step(end: number): void {
    const start = end - WINDOW * Float32Array.BYTES_PER_ELEMENT;
    this.#kernels.correlate(start, WINDOW, 0, LONGEST, FLOOR, this.#likeness.at);
    this.#findCandidates();
    this.#extendWays();
    this.#decide();
    if (!this.decisionFrames && this.f0Hz > 0) this.#follow(end);
    this.#frame++;
    [this.#octaves, this.#octavesBefore] = [this.#octavesBefore, this.#octaves];
    [this.#costs, this.#costsBefore] = [this.#costsBefore, this.#costs];
  }

  /** Measures the decided pitch anew in its own last periods, since the whole window lies further back. */
  #follow(end: number): void {
    const lag = Math.round(TRACKER_RATE / this.f0Hz);
    const first = Math.max(SHORTEST - 1, Math.floor(lag * (1 - NEAR)) - 1);
    const last = Math.min(LONGEST, Math.ceil(lag * (1 + NEAR)) + 1);
    const window = Math.min(WINDOW, Math.max(SHORTEST_WINDOW, 4 * Math.ceil((PERIODS * lag) / 4)));
    const likeness = this.#likeness.values;
    this.#kernels.correlate(
      end - window * Float32Array.BYTES_PER_ELEMENT,
      window,
      first,
      last,
      FLOOR,
      this.#likeness.at,
    );
    let best = 0;
    for (let at = first + 1; at < last; at++) {
      const here = likeness[at] as number;
      const isPeak = here > (likeness[at - 1] as number) && here >= (likeness[at + 1] as number);
      if (isPeak && (!best || here > (likeness[best] as number))) best = at;
    }
    if (best) this.f0Hz = TRACKER_RATE / (best + this.#peakShift(best));
  }

  /** Interpolates a peak of likeness by a parabola: lags by which it lies after a lag. */
  #peakShift(lag: number): number {
    const likeness = this.#likeness.values;
    const [before, after] = [likeness[lag - 1] as number, likeness[lag + 1] as number];
    return (0.5 * (before - after)) / (before - 2 * (likeness[lag] as number) + after);
  }

  /**
   * Finds the best peaks of likeness, each interpolated between the lags. The first ones count only once the frame
   * was unlike itself at a shorter lag: on what is slower than any voice, every ripple of noise would be a peak.
   */
  #findCandidates(): void {
    const likeness = this.#likeness.values;
    const alike = this.#alike;
    const octaves = this.#octaves;
    alike.fill(Number.NEGATIVE_INFINITY);
    octaves.fill(-1);
    let shortest = 1;
    while (shortest < LONGEST && (likeness[shortest] as number) > LEAST_LIKENESS) shortest++;
    for (let lag = Math.max(SHORTEST, shortest); lag < LONGEST; lag++) {
      const here = likeness[lag] as number;
      const before = likeness[lag - 1] as number;
      const after = likeness[lag + 1] as number;
      if (here <= LEAST_LIKENESS || here <= before || here < after) continue;
      const shift = this.#peakShift(lag);
      const peak = here - 0.25 * (before - after) * shift;
      const octave = Math.log2(TRACKER_RATE / (lag + shift) / LOWEST_HZ);
      const worth = peak + PER_OCTAVE * octave; // else the many periods of a high voice would crowd out its first
      let rank = CANDIDATES; // by insertion: the best comes first
      while (rank > 0 && this.#worth(rank - 1) < worth) rank--;
      if (rank === CANDIDATES) continue;
      for (let i = CANDIDATES - 1; i > rank; i--) {
        alike[i] = alike[i - 1] as number;
        octaves[i] = octaves[i - 1] as number;
      }
      alike[rank] = peak;
      octaves[rank] = octave;
    }
  }

  /** What speaks for a candidate: its likeness, and that it is no multiple of a shorter period. */
  #worth(rank: number): number {
    return (this.#alike[rank] as number) + PER_OCTAVE * (this.#octaves[rank] as number);
  }

  /** Extends the cheapest ways by this frame's states. */
  #extendWays(): void {
    const row = (this.#frame % (this.decisionFrames + 1)) * STATES;
    const highest = Math.log2(HIGHEST_HZ / LOWEST_HZ);
    let least = Number.POSITIVE_INFINITY;
    for (let state = 0; state < STATES; state++) {
      const unvoiced = state === CANDIDATES;
      const octaves = this.#octaves[state] as number;
      const alike = this.#alike[state] as number;
      let best = Number.POSITIVE_INFINITY;
      for (let before = 0; before < STATES; before++) {
        const cost = (this.#costsBefore[before] as number) + this.#transition(before, unvoiced, octaves);
        if (cost >= best) continue;
        best = cost;
        this.#from[row + state] = before;
      }
      best += unvoiced ? UNVOICED : 1 - alike + PER_OCTAVE * (highest - octaves); // no candidate: infinite
      this.#costs[state] = best;
      this.#pitches[row + state] = unvoiced ? 0 : LOWEST_HZ * 2 ** octaves;
      this.#likenesses[row + state] = unvoiced ? Math.max(0, this.#alike[0] as number) : alike;
      least = Math.min(least, best);
    }
    for (let state = 0; state < STATES; state++) this.#costs[state] = (this.#costs[state] as number) - least;
  }

  #transition(before: number, unvoiced: boolean, octaves: number): number {
    const unvoicedBefore = before === CANDIDATES;
    if (unvoiced || unvoicedBefore) return unvoiced === unvoicedBefore ? 0 : CHANGE;
    return Math.min(LEAP * Math.abs(octaves - (this.#octavesBefore[before] as number)), MOST_LEAP);
  }

  /** Goes back from the cheapest state of now. */
  #decide(): void {
    const costs = this.#costs;
    let state = CANDIDATES;
    for (let i = 0; i < STATES; i++) if ((costs[i] as number) < (costs[state] as number)) state = i;
    const steps = Math.min(this.decisionFrames, this.#frame);
    for (let back = 0; back < steps; back++) state = this.#from[this.#row(back) + state] as number;
    const at = this.#row(steps) + state;
    const alike = Math.min(1, this.#likenesses[at] as number);
    this.f0Hz = this.#pitches[at] as number;
    this.confidence = this.f0Hz > 0 ? 0.5 + 0.5 * alike : 0.49 * alike;
  }

  /** Index at which the states of the frame so many frames ago begin. */
  #row(back: number): number {
    return ((this.#frame - back) % (this.decisionFrames + 1)) * STATES;
  }
}
