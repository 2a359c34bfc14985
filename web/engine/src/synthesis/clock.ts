/** Frames laid over the samples of any rate, without drift: hops may be fractional. */
export class FrameClock {
  readonly #rate: number;
  readonly #frameRate: number;
  /** Distance of the next sample from the frame before it, in 1 / (rate * frame rate) s. */
  #offset = 0;

  /** @param rate Hz, of samples. @param frameRate Hz. Both whole. */
  constructor(rate: number, frameRate: number) {
    this.#rate = rate;
    this.#frameRate = frameRate;
  }

  /** Position of this interval's first sample, as a share of the way from a frame to the next. */
  get position(): number {
    return this.#offset / this.#rate;
  }

  /** Samples in this interval. */
  get count(): number {
    return Math.ceil((this.#rate - this.#offset) / this.#frameRate);
  }

  /** Goes on to the next interval. */
  advance(): void {
    this.#offset += this.count * this.#frameRate - this.#rate;
  }
}
