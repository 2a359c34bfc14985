/** Filtered noise as a stream (`models/ddsp/synths.py`, FilteredNoise.step), at any rate. */

import { Block, type KernelExports, matrixBlock, padded } from "../wasm/kernels.ts";
import type { NoisePart } from "./chain.ts";
import { groupDelay, responseMatrix } from "./filter_design.ts";
import type { Rates } from "./rates.ts";
import { SampleQueue } from "./sample_queue.ts";

export class NoiseVoice {
  /** Samples of the filtered noise, from the first frame on. */
  readonly queue: SampleQueue;
  readonly #kernels: KernelExports;
  readonly #part: NoisePart;
  readonly #magnitudes: number;
  readonly #matrix: Block;
  readonly #response: Block;
  readonly #excitation: Block;
  /** What the frames so far add to the output, from the next sample on. */
  readonly #ringing: Block;

  /** @param magnitudes address of a frame's magnitudes. @param capacity of the queue. */
  constructor(kernels: KernelExports, part: NoisePart, magnitudes: number, rates: Rates, capacity: number) {
    const { own, rate, longest } = rates;
    const matrix = responseMatrix(part.bands, own, rate);
    const taps = matrix.length / part.bands;
    this.#kernels = kernels;
    this.#part = part;
    this.#magnitudes = magnitudes;
    this.#matrix = matrixBlock(kernels, Float32Array.from(matrix), taps);
    this.#response = new Block(kernels, padded(taps));
    this.#excitation = new Block(kernels, padded(longest));
    this.#ringing = new Block(kernels, longest + padded(taps));
    this.queue = new SampleQueue(capacity, Math.round((groupDelay(part.bands) * rate) / own));
  }

  /** Queues the next `count` samples, from as many of noise. */
  push(gain: number, noise: Float32Array, count: number): void {
    const kernels = this.#kernels;
    const excitation = this.#excitation.values;
    const scale = gain * this.#part.gain;
    for (let i = 0; i < count; i++) excitation[i] = (noise[i] as number) * scale;
    this.#response.values.fill(0);
    const { at, length } = this.#response;
    kernels.accumulate(this.#magnitudes, this.#part.bands, this.#matrix.at, at, length);
    kernels.convolve(this.#excitation.at, count, at, length, this.#ringing.at);
    const ringing = this.#ringing.values;
    this.queue.write(ringing, count);
    ringing.copyWithin(0, count);
    ringing.fill(0, ringing.length - count);
  }
}
