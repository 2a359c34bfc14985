/** A stream of samples at another rate. */

import { Block, blockOf, type KernelExports } from "../wasm/kernels.ts";
import { designPolyphase, type Polyphase } from "./polyphase.ts";

/** Zero crossings of the sinc to either side: 2 ms at 16 kHz, flat to 0.9 of Nyquist. */
export const LIVE_CROSSINGS = 32;
const PASSBAND = 0.97; // of the lower Nyquist: the middle of the transition, where voices' loudness comes out best

/**
 * Sample m of the output stands for time m / to; it comes as soon as all input of its filter is there, so `delay` input
 * samples late. At equal rates it passes everything on at once.
 */
export class Resampler {
  /** Input samples after a moment that the filter needs. */
  readonly delay: number;
  /** Output of `push`; only the first samples are new. */
  readonly output: Block;
  readonly #kernels: KernelExports;
  readonly #filters: Polyphase | null;
  readonly #table: Block | null;
  readonly #input: Block;
  readonly #longest: number;
  /** Samples in `#input`, and where the next window starts: a whole sample, and a phase after it. */
  #held = 0;
  #start = 0;
  #phase = 0;

  /** @param longest most samples of one push. */
  constructor(kernels: KernelExports, from: number, to: number, longest: number, crossings = LIVE_CROSSINGS) {
    this.#kernels = kernels;
    this.#longest = longest;
    this.#filters = from === to ? null : designPolyphase(from, to, crossings, PASSBAND);
    this.#table = this.#filters && blockOf(kernels, this.#filters.table);
    const length = this.#filters?.length ?? 0;
    this.delay = length / 2;
    this.#input = new Block(kernels, length + longest + Math.ceil(from / to) + 1);
    this.output = new Block(kernels, Math.ceil((longest * to) / from) + 2);
    this.#held = Math.max(0, length / 2 - 1); // silence before the first sample
  }

  /**
   * Takes samples and puts what follows from them into `output`.
   *
   * @returns how many samples came out.
   */
  push(samples: Float32Array): number {
    if (samples.length > this.#longest)
      throw new RangeError(`${samples.length} samples in one push, not ${this.#longest}`);
    if (!this.#filters) {
      this.output.values.set(samples);
      return samples.length;
    }
    const { phases, length, advance } = this.#filters;
    this.#input.values.set(samples, this.#held);
    this.#held += samples.length;
    // Windows that end within what is held: start + (phase + i * advance) / phases + length <= held
    const room = this.#held - length - this.#start;
    const count = room < 0 ? 0 : Math.floor(((room + 1) * phases - 1 - this.#phase) / advance) + 1;
    const from = this.#input.address(this.#start);
    this.#kernels.resample(from, this.#table?.at ?? 0, phases, length, this.#phase, advance, this.output.at, count);
    this.#phase += count * advance;
    this.#start += Math.floor(this.#phase / phases);
    this.#phase %= phases;
    this.#forget();
    return count;
  }

  /** Moves what is still needed to the front. */
  #forget(): void {
    const kept = Math.min(this.#start, this.#held);
    this.#input.values.copyWithin(0, kept, this.#held);
    this.#held -= kept;
    this.#start -= kept;
  }
}
