/** One bank of harmonics as a stream (`models/ddsp/synths.py`, Harmonic.step). */

import { Block, type KernelExports, padded } from "../wasm/kernels.ts";
import type { HarmonicPart } from "./chain.ts";
import type { Rates } from "./rates.ts";

export class HarmonicVoice {
  readonly #kernels: KernelExports;
  readonly #part: HarmonicPart;
  readonly #rates: Rates;
  readonly #amplitude: number;
  readonly #distribution: number;
  readonly #controls: Block;
  readonly #scratch: Block;
  #before: Block;
  #after: Block;
  #f0Hz = 0;
  #phase = 0;
  #silent = true;
  #started = false;

  /** @param controls of a frame; its amplitude and its distribution start at the given indices. */
  constructor(
    kernels: KernelExports,
    part: HarmonicPart,
    controls: Block,
    indices: { readonly amplitude: number; readonly distribution: number },
    rates: Rates,
  ) {
    this.#kernels = kernels;
    this.#part = part;
    this.#rates = rates;
    this.#controls = controls;
    this.#amplitude = indices.amplitude;
    this.#distribution = controls.address(indices.distribution);
    this.#before = new Block(kernels, padded(part.harmonics));
    this.#after = new Block(kernels, padded(part.harmonics));
    this.#scratch = new Block(kernels, 3 * (rates.longest + 8));
  }

  /**
   * Adds the samples from the frame before to this one. Out of silence the pitch does not glide, it begins.
   *
   * @param out address of `count` samples.
   * @param position of the first of them, as a share of the way.
   */
  push(f0Hz: number, gain: number, out: number, count: number, position: number): void {
    const { harmonics, envelope } = this.#part;
    const { rate, frameRate, nyquist } = this.#rates;
    const amplitude = (this.#controls.values[this.#amplitude] as number) * gain * this.#part.gain;
    const kernels = this.#kernels;
    kernels.harmonicAmplitudes(this.#distribution, harmonics, f0Hz, nyquist, amplitude, this.#after.at);
    if (this.#started) {
      const step = frameRate / rate;
      if (this.#silent) this.#begin(f0Hz, count, position, step);
      const rise = f0Hz - this.#f0Hz;
      this.#phase = kernels.renderHarmonics(
        out,
        count,
        this.#before.at,
        this.#after.at,
        harmonics,
        this.#f0Hz + rise * position,
        rise * step,
        this.#phase,
        position,
        step,
        envelope === "window",
        rate,
        nyquist,
        this.#scratch.at,
      );
    }
    [this.#before, this.#after] = [this.#after, this.#before];
    this.#f0Hz = f0Hz;
    this.#silent = amplitude === 0;
    this.#started = true;
  }

  /** Takes up a pitch at once, with the phase at which a glide to it would have ended. */
  #begin(f0Hz: number, count: number, position: number, step: number): void {
    const rise = f0Hz - this.#f0Hz;
    const phase = this.#phase + (rise * count * (position - 1 + 0.5 * (count - 1) * step)) / this.#rates.rate;
    this.#phase = phase - Math.floor(phase);
    this.#f0Hz = f0Hz;
  }
}
