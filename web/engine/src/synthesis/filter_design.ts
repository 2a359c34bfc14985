/** FIR filters of noise, from magnitudes. */

import type { NoisePart } from "./chain.ts";
import type { Rates } from "./rates.ts";

export interface NoiseFilter {
  /** From magnitudes to taps: [bands, taps] row-major. */
  readonly matrix: Float64Array;
  readonly taps: number;
  /** Samples, at the output's rate, that are cut from the front of filtered noise for the filter's delay. */
  readonly delay: number;
}

/**
 * Designs the linear map from magnitudes to the taps of a causal, linear-phase filter: frequency sampling with a Hann
 * window (`models/ddsp/filters.py`, response_matrix). At another rate than the bundle's the filter is the same function
 * of time, for noise of the same power in the same band; what would lie at the bundle's Nyquist or above is left out.
 */
export function designNoise(part: NoisePart, { own, rate, frameRate }: Rates): NoiseFilter {
  const points = gridPoints(part, own / frameRate);
  const response = responseMatrix(points, own, rate);
  const delay = Math.round((groupDelay(points) * rate) / own);
  const taps = response.length / points;
  if (part.spacing === "linear") return { matrix: response, taps, delay };
  const matrix = new Float64Array(part.bands * taps);
  for (const [point, { band, share }] of gridOf(erbPositions(part.bands, points, own / 2), points).entries()) {
    for (let tap = 0; tap < taps; tap++) {
      const value = response[point * taps + tap] as number;
      const [at, next] = [band * taps + tap, (band + 1) * taps + tap];
      matrix[at] = (matrix[at] as number) + (1 - share) * value;
      if (share > 0) matrix[next] = (matrix[next] as number) + share * value;
    }
  }
  return { matrix, taps, delay };
}

/** Counts the frames by which the filter's delay makes noise late. @param hop samples a frame, at the bundle's rate. */
export function framesLate(part: NoisePart, hop: number): number {
  return Math.ceil(groupDelay(gridPoints(part, hop)) / hop);
}

/** Points, evenly spaced from 0 Hz to Nyquist, that the filter is made from. */
function gridPoints({ bands, spacing }: NoisePart, hop: number): number {
  return spacing === "linear" ? bands : Math.max(hop + 1, bands);
}

/** Where magnitudes lie, in points of the grid (`models/ddsp/bands.py`, interpolation). */
function erbPositions(bands: number, points: number, nyquist: number): Float64Array {
  const most = Math.log10(1 + 0.00437 * nyquist);
  return Float64Array.from({ length: bands }, (_, band) => {
    if (band === bands - 1) return points - 1;
    const hz = (10 ** ((most * band) / (bands - 1)) - 1) / 0.00437;
    return Math.max((hz / nyquist) * (points - 1), band);
  });
}

/** For every point of the grid the magnitude at or before it, and its share of the way to the next magnitude. */
function gridOf(positions: Float64Array, points: number): { band: number; share: number }[] {
  let band = 0;
  return Array.from({ length: points }, (_, point) => {
    while (band < positions.length - 1 && (positions[band + 1] as number) <= point) band++;
    const [from, to = Number.POSITIVE_INFINITY] = [positions[band] as number, positions[band + 1]];
    return { band, share: (point - from) / (to - from) };
  });
}

/**
 * @param bands magnitudes, evenly spaced from 0 Hz to half the bundle's rate.
 * @param own Hz, the bundle's rate. @param rate Hz, of the noise.
 * @returns [bands, taps] row-major; taps is 2 * (bands - 1) at the bundle's own rate.
 */
function responseMatrix(bands: number, own: number, rate: number): Float64Array {
  const period = 2 * (bands - 1); // of the lowest band, at the bundle's rate
  const taps = Math.ceil((period * rate) / own);
  const level = Math.sqrt(own / rate) / period;
  const matrix = new Float64Array(bands * taps);
  for (let band = 0; band < bands; band++) {
    const outermost = band === 0 || band === bands - 1;
    const audible = rate === own || (band < bands - 1 && (band * own) / period < rate / 2);
    const weight = audible ? (outermost ? 1 : 2) * level : 0;
    for (let tap = 0; tap < taps; tap++) {
      const time = (tap * own) / rate; // samples of the bundle's
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * time) / period);
      matrix[band * taps + tap] = weight * Math.cos((2 * Math.PI * band * (time - period / 2)) / period) * hann;
    }
  }
  return matrix;
}

/** Samples at the bundle's rate (`models/ddsp/filters.py`, group_delay). */
function groupDelay(points: number): number {
  return Math.max(Math.floor((2 * (points - 1) - 1) / 2) - 1, 0);
}
