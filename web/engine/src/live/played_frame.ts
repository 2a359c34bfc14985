/** What a voice or keys give the instrument to play, frame by frame. */

import type { FrameFeatures } from "../network/inputs.ts";

/** The next frame to play. */
export interface PlayedFrame extends FrameFeatures {
  /** Factor of the synthesiser's amplitudes: 0 is silence. */
  gain: number;
  /** The same of its harmonics alone: at most `gain`, and 0 where the pitch is not known. */
  pitchedGain: number;
}

/** Computes the share of a distance that is left after a frame, if a tenth of it shall be left after `seconds`. */
export function remainder(seconds: number, frameRate: number): number {
  return seconds > 0 ? 0.1 ** (1 / (seconds * frameRate)) : 0;
}
