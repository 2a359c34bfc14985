/** Rates of a synthesiser's parts. */

import type { Manifest } from "../bundle/manifest.ts";

export interface Rates {
  /** Hz, the bundle's. */
  readonly own: number;
  /** Hz, of the output. */
  readonly rate: number;
  /** Hz, of frames. */
  readonly frameRate: number;
  /** Hz; at and above it harmonics are silent. */
  readonly nyquist: number;
  /** Most samples between two frames. */
  readonly longest: number;
}

export function ratesOf({ audio }: Manifest, rate: number): Rates {
  const { sample_rate: own, frame_rate: frameRate } = audio;
  return { own, rate, frameRate, nyquist: Math.min(own, rate) / 2, longest: Math.ceil(rate / frameRate) };
}
