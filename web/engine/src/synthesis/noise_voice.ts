/** Filtered noise as a stream (`models/ddsp/synths.py`, FilteredNoise.step), at any rate. */

import { Block, type KernelExports, matrixBlock, padded } from "../wasm/kernels.ts";
import type { NoisePart } from "./chain.ts";
import { designNoise } from "./filter_design.ts";
import type { Rates } from "./rates.ts";
import { SampleQueue } from "./sample_queue.ts";

const LANES = 8; // the kernel takes so many samples at a time, and so many zeros to either side of the taps

export class NoiseVoice {
  /** Samples of the filtered noise, from the first frame on. */
  readonly queue: SampleQueue;
  readonly #kernels: KernelExports;
  readonly #part: NoisePart;
  readonly #magnitudes: number;
  readonly #matrix: Block;
  /** The taps, between zeros. */
  readonly #response: Block;
  readonly #taps: number;
  readonly #excitation: Block;
  /** What the frames so far add to the output, from the next sample on. */
  readonly #ringing: Block;

  /** @param magnitudes address of a frame's magnitudes. @param capacity of the queue. */
  constructor(kernels: KernelExports, part: NoisePart, magnitudes: number, rates: Rates, capacity: number) {
    const { longest } = rates;
    const { matrix, taps, delay } = designNoise(part, rates);
    this.#kernels = kernels;
    this.#part = part;
    this.#magnitudes = magnitudes;
    this.#matrix = matrixBlock(kernels, Float32Array.from(matrix), taps);
    this.#taps = padded(taps);
    this.#response = new Block(kernels, this.#taps + 2 * LANES);
    this.#excitation = new Block(kernels, wholeLanes(longest));
    this.#ringing = new Block(kernels, this.#excitation.length + this.#taps);
    this.queue = new SampleQueue(capacity, delay);
  }

  /** Queues the next `count` samples, from as many of noise. */
  push(gain: number, noise: Float32Array, count: number): void {
    const kernels = this.#kernels;
    const excitation = this.#excitation.values;
    const scale = gain * this.#part.gain;
    for (let i = 0; i < count; i++) excitation[i] = (noise[i] as number) * scale;
    excitation.fill(0, count);
    this.#response.values.fill(0);
    const response = this.#response.address(LANES);
    kernels.accumulate(this.#magnitudes, this.#part.bands, this.#matrix.at, response, this.#taps);
    kernels.convolve(this.#excitation.at, wholeLanes(count), response, this.#taps, this.#ringing.at);
    const ringing = this.#ringing.values;
    this.queue.write(ringing, count);
    ringing.copyWithin(0, count);
    ringing.fill(0, ringing.length - count);
  }
}

function wholeLanes(count: number): number {
  return LANES * Math.ceil(count / LANES);
}
