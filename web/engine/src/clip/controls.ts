/** Controls of a whole clip: the synthesiser's inputs. */

import type { Manifest } from "../bundle/manifest.ts";
import { describeChain } from "../synthesis/chain.ts";
import { outputIndices } from "../synthesis/synthesiser.ts";

/** Features of a clip, from which the network's inputs are made. All of one length, at least one frame. */
export interface ClipFeatures {
  /** Hz. */
  readonly f0Hz: Float32Array;
  /** dB. */
  readonly loudnessDb: Float32Array;
  /** Linear. */
  readonly rms: Float32Array;
  /** Factor of the synthesiser's amplitudes, not an input of the network: 0 is silence. Default: 1 everywhere. */
  readonly gain?: Float32Array;
}

/** Controls of a clip: for every frame all outputs of the network, scaled, in the manifest's order. */
export interface Controls {
  readonly frames: number;
  /** Values of one frame. */
  readonly width: number;
  /** [frames, width]. Harmonic distributions sum to 1 below Nyquist, or are all 0. */
  readonly values: Float32Array | Float64Array;
  /** Hz, [frames]. */
  readonly f0Hz: Float32Array;
  /** Of all amplitudes and magnitudes, [frames]; 1 where it is not given. */
  readonly gain?: Float32Array | undefined;
}

/** @throws RangeError there are no frames, or the features' lengths differ. */
export function checkFeatures({ f0Hz, loudnessDb, rms, gain }: ClipFeatures): void {
  const frames = f0Hz.length;
  if (!frames) throw new RangeError("the features have no frames");
  const lengths = [loudnessDb, rms, ...(gain ? [gain] : [])].map((values) => values.length);
  if (lengths.some((length) => length !== frames)) {
    throw new RangeError(`the features differ in length: ${frames}, ${lengths.join(" and ")} frames`);
  }
}

/** Counts the values of one frame: the sum of the outputs' channels. */
export function controlsWidth(manifest: Manifest): number {
  return manifest.network.outputs.reduce((sum, output) => sum + output.channels, 0);
}

/** Sets harmonics at or above Nyquist to 0 and scales what is left of each distribution to a sum of 1, in `values`. */
export function normaliseHarmonics(manifest: Manifest, { frames, width, values, f0Hz }: Controls): void {
  const nyquist = manifest.audio.sample_rate / 2;
  const index = outputIndices(manifest);
  for (const { distribution, harmonics } of describeChain(manifest).harmonics) {
    for (let frame = 0; frame < frames; frame++) {
      const start = frame * width + index(distribution);
      const own = values.subarray(start, start + harmonics);
      const hz = f0Hz[frame] as number;
      for (let i = 0; i < harmonics; i++) if ((i + 1) * hz >= nyquist) own[i] = 0;
      let sum = 0;
      for (const value of own) sum += value;
      if (sum > 0) for (let i = 0; i < harmonics; i++) own[i] = (own[i] as number) / sum;
    }
  }
}
