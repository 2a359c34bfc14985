/** The newest samples of a stream, in the kernels' memory, by their index in the stream. */

import { Block, type KernelExports } from "../wasm/kernels.ts";

export class SlidingWindow {
  /** Samples that have come so far. */
  end = 0;
  readonly #samples: Block;
  readonly #kept: number;
  #held: number;

  /** @param kept samples back from the newest that can be addressed. @param longest most samples of one append. */
  constructor(kernels: KernelExports, kept: number, longest: number) {
    this.#samples = new Block(kernels, kept + 4 * longest);
    this.#kept = kept;
    this.#held = kept; // before the stream there is silence
  }

  /** Takes the first `count` of values. */
  append(values: Float32Array, count: number): void {
    const samples = this.#samples.values;
    if (this.#held + count > samples.length) {
      samples.copyWithin(0, this.#held - this.#kept, this.#held);
      this.#held = this.#kept;
    }
    for (let i = 0; i < count; i++) samples[this.#held + i] = values[i] as number;
    this.#held += count;
    this.end += count;
  }

  /** Address of the sample at an index in the stream; negative indices are silence before it. */
  address(index: number): number {
    return this.#samples.address(this.#held - (this.end - index));
  }
}
