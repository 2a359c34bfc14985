/** Samples that were made before they are wanted. */
export class SampleQueue {
  readonly #samples: Float32Array;
  #held = 0;
  #dropped: number;

  /** @param capacity most samples that are held at once. @param dropped how many of the first are thrown away. */
  constructor(capacity: number, dropped = 0) {
    this.#samples = new Float32Array(capacity + dropped);
    this.#dropped = dropped;
  }

  /** Samples that can be read. */
  get held(): number {
    return this.#held;
  }

  /** Takes the first `count` of values. */
  write(values: Float32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#samples[this.#held + i] = values[i] as number;
    this.#held += count;
    const dropped = Math.min(this.#dropped, this.#held);
    if (dropped) this.#forget(dropped);
    this.#dropped -= dropped;
  }

  /** Adds the oldest samples to out [0 .. count). So many must be held. */
  addTo(out: Float32Array, count: number): void {
    if (count > this.#held) throw new RangeError(`${count} samples wanted of ${this.#held}`);
    for (let i = 0; i < count; i++) out[i] = (out[i] as number) + (this.#samples[i] as number);
    this.#forget(count);
  }

  #forget(count: number): void {
    this.#samples.copyWithin(0, count, this.#held);
    this.#held -= count;
  }
}
