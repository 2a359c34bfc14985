/** Distributions as quantiles at evenly spaced ranks (`data/features/statistics.py`, QuantileTransformer). */

import type { Statistics } from "../bundle/manifest.ts";

const MOST = 1000;

/** Computes the quantiles of values (at least one), at most 1000 of them. */
export function quantilesOf(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const count = Math.max(1, Math.min(MOST, sorted.length));
  return Float64Array.from({ length: count }, (_, i) => valueAtRank(count > 1 ? i / (count - 1) : 0, sorted));
}

/** Looks up the value at a rank from 0 to 1, interpolated between the quantiles. */
export function valueAtRank(rank: number, quantiles: ArrayLike<number>): number {
  const position = Math.max(0, Math.min(1, rank)) * (quantiles.length - 1);
  const below = Math.floor(position);
  const value = quantiles[below] as number;
  return below === position ? value : value + (position - below) * ((quantiles[below + 1] as number) - value);
}

/**
 * Finds the rank of a value, 0 to 1. A value that fills several quantiles takes the middle of their ranks, except at
 * the two ends; where all quantiles are equal that value is of rank 0.5.
 */
export function rankOf(value: number, quantiles: ArrayLike<number>): number {
  const last = quantiles.length - 1;
  const low = quantiles[0] as number;
  const high = quantiles[last] as number;
  if (low < high && value >= high) return 1;
  if (low < high && value <= low) return 0;
  return (0.5 * (positionOf(value, quantiles, true) + positionOf(value, quantiles, false))) / Math.max(1, last);
}

/** Finds a value's position among rising quantiles, between their indices; of equal ones the last or the first. */
function positionOf(value: number, quantiles: ArrayLike<number>, afterEqual: boolean): number {
  const precedes = (index: number) => {
    const quantile = quantiles[index] as number;
    return afterEqual ? quantile <= value : quantile < value;
  };
  const last = quantiles.length - 1;
  if (!precedes(0)) return 0;
  if (precedes(last)) return last;
  let [low, high] = [0, last]; // low precedes, high does not
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (precedes(middle)) low = middle;
    else high = middle;
  }
  const [from, to] = [quantiles[low] as number, quantiles[high] as number];
  return low + (value - from) / (to - from);
}

/**
 * Gives an instrument's quantiles of loudness, evenly spaced in rank: as its manifest has them, with those between that
 * `loudness_details` adds where the distribution is steep.
 */
export function loudnessQuantiles({
  loudness_quantiles: even,
  loudness_details: details,
}: Statistics): ArrayLike<number> {
  if (!details) return even;
  const { count, indices, quantiles } = details;
  const points = [
    ...even.map((value, i) => ({ rank: i / (even.length - 1), value })),
    ...indices.map((index, i) => ({ rank: index / Math.max(1, count - 1), value: quantiles[i] as number })),
  ].sort((a, b) => a.rank - b.rank);
  let [at, highest] = [0, Number.NEGATIVE_INFINITY];
  return Float64Array.from({ length: count }, (_, i) => {
    const rank = i / Math.max(1, count - 1);
    while (at + 2 < points.length && (points[at + 1]?.rank as number) <= rank) at++;
    const [from, to] = [points[at], points[at + 1]] as [Point, Point];
    const share = to.rank > from.rank ? Math.min(1, (rank - from.rank) / (to.rank - from.rank)) : 0;
    highest = Math.max(highest, from.value + share * (to.value - from.value)); // rounding never makes it fall
    return highest;
  });
}

interface Point {
  readonly rank: number;
  readonly value: number;
}
