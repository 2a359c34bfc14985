/** Features of a frame -> inputs of the network. */

import type { Manifest, NetworkInput } from "../bundle/manifest.ts";
import { FLOOR_AMPLITUDE } from "../features/floor.ts";
import { hzToMidi } from "../features/pitch_scale.ts";

/** Counts the frames for which controls are held: the network runs on the first of so many. */
export function framesHeld({ audio, network }: Pick<Manifest, "audio" | "network">): number {
  return audio.frame_rate / network.frame_rate;
}

/** One frame of a sound. */
export interface FrameFeatures {
  /** Hz. */
  f0Hz: number;
  loudnessDb: number;
  /** Linear. */
  rms: number;
}

/** Standardises one feature as the manifest states: (feature in its unit - mean) / deviation. */
export function networkInput(input: NetworkInput, frame: Readonly<FrameFeatures>): number {
  return (inUnit(input, frame) - input.mean) / input.deviation;
}

function inUnit({ feature }: NetworkInput, { f0Hz, loudnessDb, rms }: Readonly<FrameFeatures>): number {
  if (feature === "f0_hz") return hzToMidi(Math.max(f0Hz, 1));
  return feature === "loudness_db" ? loudnessDb : 20 * Math.log10(Math.max(rms, FLOOR_AMPLITUDE));
}
