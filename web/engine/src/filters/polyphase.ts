/** Designs the filters of a resampler. */

/** A resampler between two rates as a bank of filters, one for each position between two input samples. */
export interface Polyphase {
  /** [phases, length] row-major; every filter sums to 1. */
  readonly table: Float32Array;
  readonly phases: number;
  /** Taps of a filter, a multiple of 4. */
  readonly length: number;
  /** From each output sample to the next, in phases of an input sample. */
  readonly advance: number;
}

const BETA = 8; // of the Kaiser window: 80 dB

/**
 * Designs windowed sinc filters (Smith, "Digital Audio Resampling").
 *
 * @param from, to whole rates in Hz.
 * @param crossings of the sinc to either side, at the lower rate: more are sharper and later.
 * @param passband share of the lower rate's Nyquist at which the sinc cuts off.
 * @returns filter p is centred p / phases after the input sample `length / 2 - 1` of its window.
 */
export function designPolyphase(from: number, to: number, crossings: number, passband: number): Polyphase {
  const common = greatestCommonDivisor(from, to);
  const phases = to / common;
  const cutoff = passband * Math.min(1, to / from); // of the input's Nyquist
  const reach = crossings * Math.max(1, from / to); // input samples
  const length = (2 * Math.ceil(reach) + 3) & ~3;
  const table = new Float32Array(phases * length);
  for (let phase = 0; phase < phases; phase++) {
    const filter = table.subarray(phase * length, (phase + 1) * length);
    for (let tap = 0; tap < length; tap++) {
      const distance = tap - (length / 2 - 1) - phase / phases;
      filter[tap] = cutoff * sinc(cutoff * distance) * kaiser(distance / reach);
    }
    const sum = filter.reduce((total, value) => total + value, 0);
    for (let tap = 0; tap < length; tap++) filter[tap] = (filter[tap] as number) / sum;
  }
  return { table, phases, length, advance: from / common };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b ? greatestCommonDivisor(b, a % b) : a;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** Computes the modified Bessel function of order 0. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
