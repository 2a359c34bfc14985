/** White noise that is the same for the same seed, in every browser. */

/** A source of noise. */
export interface Noise {
  /** Fills the first `count` of values with numbers uniform in [-1, 1). */
  fill(values: Float32Array, count: number): void;
}

/** A 32-bit xorshift (Marsaglia 2003). */
export class NoiseSource implements Noise {
  #state: number;

  constructor(seed = 0) {
    // A state of 0 stays 0; neighbouring seeds must not start alike.
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
    for (let i = 0; i < 8; i++) this.#next();
  }

  fill(values: Float32Array, count = values.length): void {
    for (let i = 0; i < count; i++) values[i] = this.#next() / 2147483648;
  }

  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x;
  }
}
