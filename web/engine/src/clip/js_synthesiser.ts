/** The synthesiser in plain JavaScript and float64: all of a clip at once, sine by sine (`models/ddsp/synths.py`). */

import type { Manifest } from "../bundle/manifest.ts";
import { describeChain, type HarmonicPart, type NoisePart } from "../synthesis/chain.ts";
import { designNoise } from "../synthesis/filter_design.ts";
import type { Noise } from "../synthesis/noise_source.ts";
import { type Rates, ratesOf } from "../synthesis/rates.ts";
import { outputIndices } from "../synthesis/synthesiser.ts";
import type { Controls } from "./controls.ts";

/**
 * Renders the dry sound of controls.
 *
 * @param rate Hz, of the output.
 * @returns [round(frames * rate / frame rate)].
 */
export function synthesiseInJs(manifest: Manifest, controls: Controls, rate: number, noise: Noise): Float64Array {
  const rates = ratesOf(manifest, rate);
  const out = new Float64Array(Math.round((controls.frames * rate) / rates.frameRate));
  const index = outputIndices(manifest);
  const chain = describeChain(manifest);
  for (const part of chain.harmonics) {
    addHarmonics(out, controls, part, index(part.amplitude), index(part.distribution), rates);
  }
  // Every synthesiser filters the same noise.
  const white = new Float32Array(chain.noises.length ? out.length + rates.longest * 2 : 0);
  noise.fill(white, white.length);
  for (const part of chain.noises) addNoise(out, controls, part, index(part.magnitudes), rates, white);
  return out;
}

function addHarmonics(
  out: Float64Array,
  { values, width, frames, f0Hz, gain: frameGain }: Controls,
  { harmonics, envelope, gain }: HarmonicPart,
  amplitude: number,
  distribution: number,
  { rate, frameRate, nyquist }: Rates,
): void {
  let phase = 0; // cycles
  for (let m = 0; m < out.length; m++) {
    const time = (m * frameRate) / rate; // frames
    const t = Math.min(Math.floor(time), frames - 1);
    const next = Math.min(t + 1, frames - 1);
    const position = time - t;
    const hz = (f0Hz[t] as number) + ((f0Hz[next] as number) - (f0Hz[t] as number)) * position;
    phase += hz / rate;
    phase -= Math.floor(phase);
    const rising = envelope === "window" ? 0.5 - 0.5 * Math.cos(Math.PI * position) : position;
    const level = (frame: number) => gain * (frameGain?.[frame] ?? 1) * (values[frame * width + amplitude] as number);
    const before = (1 - rising) * level(t);
    const after = rising * level(next);
    const [a, b] = [t * width + distribution, next * width + distribution];
    let sum = 0;
    for (let k = 0; k < harmonics && (k + 1) * hz < nyquist; k++) {
      const height = before * (values[a + k] as number) + after * (values[b + k] as number);
      sum += height * Math.sin(2 * Math.PI * (k + 1) * phase);
    }
    out[m] = (out[m] as number) + sum;
  }
}

function addNoise(
  out: Float64Array,
  { values, width, frames, gain: frameGain }: Controls,
  part: NoisePart,
  magnitudes: number,
  rates: Rates,
  white: Float32Array,
): void {
  const { bands, gain } = part;
  const { rate, frameRate } = rates;
  const { matrix, taps, delay } = designNoise(part, rates);
  const response = new Float64Array(taps);
  for (let n = 0, frame = -1; n < out.length + delay; n++) {
    const own = Math.min(Math.floor((n * frameRate) / rate), frames - 1);
    if (own !== frame) {
      frame = own;
      const start = frame * width + magnitudes;
      for (let tap = 0; tap < taps; tap++) {
        let sum = 0;
        for (let band = 0; band < bands; band++)
          sum += (values[start + band] as number) * (matrix[band * taps + tap] as number);
        response[tap] = gain * (frameGain?.[frame] ?? 1) * sum;
      }
    }
    const value = white[n] as number;
    for (let tap = Math.max(0, delay - n); tap < taps && n + tap - delay < out.length; tap++) {
      out[n + tap - delay] = (out[n + tap - delay] as number) + value * (response[tap] as number);
    }
  }
}
