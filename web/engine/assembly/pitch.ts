// Correlations for the pitch tracker.

import { dot } from "./filters";

/** Sums the squares of x [n]; n is a multiple of 4. */
export function sumOfSquares(x: usize, n: i32): f32 {
  return dot(x, x, n);
}

/**
 * Correlates a window with that `lag` samples before it (McLeod and Wyvill 2005): twice their product over the sum of
 * their energies, -1 to 1, in out [last + 1] for lags first .. last.
 *
 * @param x the window, [n], n a multiple of 4, with `last` samples before it.
 * @param floor energy that is added, so that next to silence nothing is alike.
 */
export function correlate(x: usize, n: i32, first: i32, last: i32, floor: f32, out: usize): void {
  const own = dot(x, x, n);
  const start = x - (usize(first) << 2);
  let other: f64 = first ? dot(start, start, n) : own;
  const final = usize(n - 1) << 2;
  for (let lag = first; lag <= last; ++lag) {
    const shifted = x - (usize(lag) << 2);
    if (lag > first) {
      const gained: f64 = load<f32>(shifted),
        lost: f64 = load<f32>(shifted + final, 4);
      other += gained * gained - lost * lost;
    }
    store<f32>(out + (usize(lag) << 2), (f32(2) * dot(x, shifted, n)) / (own + f32(max(other, 0)) + floor));
  }
}
