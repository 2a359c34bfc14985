/** Sounds and features put together. */

import { type AdjustedFeatures, type ClipFeatures, type Features, gateGains } from "swara-engine";

/** Features that an instrument plays, with gains for its silences. */
export type Gated = AdjustedFeatures & ClipFeatures;

/** Silences features where the voice stays below the gate, as live. Nothing that is passed in is changed. */
export function gated(voice: Features, moved: AdjustedFeatures, gateDb: number, frameRate: number): Gated {
  return { ...moved, gain: gateGains(voice.loudnessDb, gateDb, frameRate) };
}

/**
 * Mixes voice and instrument over a drone.
 *
 * @param share 0: the voice only, 1: the instrument only.
 * @param drone repeated as long as needed.
 * @returns [samples] of the longer of the two.
 */
export function mixed(
  voice: Float32Array,
  instrument: Float32Array,
  share: number,
  drone?: Float32Array,
): Float32Array<ArrayBuffer> {
  const sum = new Float32Array(Math.max(voice.length, instrument.length));
  for (let index = 0; index < sum.length; index++) {
    const both = (1 - share) * (voice[index] ?? 0) + share * (instrument[index] ?? 0);
    sum[index] = both + (drone ? (drone[index % drone.length] ?? 0) : 0);
  }
  if (drone) fadeOut(sum, drone.length / 4);
  return sum;
}

/** Fades the end of a sound, in the same array. */
function fadeOut(audio: Float32Array, samples: number): void {
  const length = Math.min(audio.length, Math.round(samples));
  for (let left = 0; left < length; left++) {
    const index = audio.length - 1 - left;
    audio[index] = ((audio[index] ?? 0) * left) / length;
  }
}
