/** The late part of a room: noise in bands that decays (`common/acoustics/reverberation.py`). */

import { transform } from "../clip/js_fft.ts";

/** By bands, even on the ERB-number scale from 0 Hz to Nyquist. */
export interface LateTail {
  /** Linear. */
  readonly levels: readonly number[];
  /** Seconds to -60 dB. */
  readonly decay_seconds: readonly number[];
}

/**
 * Makes the taps of a late tail.
 *
 * @param taps its whole length.
 * @param rate Hz.
 * @returns [taps].
 */
export function lateTail({ levels, decay_seconds: decays }: LateTail, taps: number, rate: number): Float64Array {
  const size = Math.max(8, 2 ** Math.ceil(Math.log2(taps)));
  const bins = size / 2 + 1;
  const scale = (bin: number) => Math.log10(1 + (0.00437 * bin * rate) / size);
  const most = scale(size / 2);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const out = new Float64Array(taps);
  for (const [band, level] of levels.entries()) {
    re.fill(0);
    im.fill(0);
    for (let bin = 1; bin < bins - 1; bin++) {
      const overlap = 1 - Math.abs((scale(bin) / most) * (levels.length - 1) - band);
      if (overlap <= 0) continue;
      const phase = (2 * Math.PI * hash(band * bins + bin)) / 2 ** 32;
      // A transform forward of what is conjugate: its real part is that of the inverse one.
      re[bin] = Math.sqrt(overlap) * Math.cos(phase);
      im[bin] = -Math.sqrt(overlap) * Math.sin(phase);
    }
    transform(re, im);
    const gain = (2 * level) / Math.sqrt(size);
    const fall = (-3 * Math.LN10) / (rate * (decays[band] as number));
    for (let tap = 0; tap < taps; tap++) {
      out[tap] = (out[tap] as number) + gain * Math.exp(fall * tap) * (re[tap] as number);
    }
  }
  return out;
}

/** The 32-bit finaliser of MurmurHash3 (Appleby 2011). */
function hash(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
