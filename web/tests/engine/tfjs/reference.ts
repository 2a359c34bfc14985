/** The harmonic synthesiser by its definition, in float64 and one sample after the other. */

import type { HarmonicSettings } from "../../../engine/src/tfjs/fused_harmonics.ts";

export interface Controls {
  /** Shape [frames]. */
  readonly amplitude: Float32Array;
  /** Shape [frames, harmonics]. */
  readonly distribution: Float32Array;
  /** Hz, shape [frames]. */
  readonly f0Hz: Float32Array;
}

/**
 * f0 is linear between frames, its phase the running sum of it, amplitudes are blended between frames; the last frame
 * is held. A harmonic that reaches Nyquist is silent: that alone is compared in float32, as models/ddsp/oscillator.py
 * does, so that no sample hangs on a rounding.
 *
 * @returns [frames * hop].
 */
export function referenceHarmonics(controls: Controls, settings: HarmonicSettings): Float64Array {
  const { amplitude, distribution, f0Hz } = controls;
  const { hop, sampleRate, envelope } = settings;
  const frames = f0Hz.length;
  const harmonics = distribution.length / frames;
  const signal = new Float64Array(frames * hop);
  let phase = 0;
  for (let frame = 0; frame < frames; frame++) {
    const next = Math.min(frame + 1, frames - 1);
    for (let n = 0; n < hop; n++) {
      const slope = at(f0Hz, next) - at(f0Hz, frame);
      const hz = at(f0Hz, frame) + (slope * n) / hop;
      const rounded = Math.fround(at(f0Hz, frame) + Math.fround(Math.fround(slope) * Math.fround(n / hop)));
      phase = (phase + hz / sampleRate) % 1;
      const rising = envelope === "window" ? 0.5 - 0.5 * Math.cos((Math.PI * n) / hop) : n / hop;
      for (let k = 1; k <= harmonics && Math.fround(k * rounded) < sampleRate / 2; k++) {
        const here = at(amplitude, frame) * at(distribution, frame * harmonics + k - 1);
        const after = at(amplitude, next) * at(distribution, next * harmonics + k - 1);
        signal[frame * hop + n] =
          (signal[frame * hop + n] ?? 0) + mix(here, after, rising) * Math.sin(2 * Math.PI * k * phase);
      }
    }
  }
  return signal;
}

/** 10 log10 of the energy of a signal over that of what differs from it, dB; NaN where the other holds a NaN. */
export function snrDb(reference: ArrayLike<number>, other: ArrayLike<number>): number {
  if (reference.length !== other.length) throw new Error(`${reference.length} samples against ${other.length}`);
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < reference.length; i++) {
    signal += at(reference, i) ** 2;
    noise += (at(reference, i) - at(other, i)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

function mix(a: number, b: number, share: number): number {
  return a * (1 - share) + b * share;
}

function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error(`no value ${index} among ${values.length}`);
  return value;
}
