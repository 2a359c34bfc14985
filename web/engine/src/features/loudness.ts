/** Loudness and RMS energy of a frame, with the definitions that training used. */

import type { AudioFormat } from "../bundle/manifest.ts";
import { rootsOf } from "../wasm/fourier.ts";
import { Block, blockOf, type KernelExports } from "../wasm/kernels.ts";
import { FLOOR_DB } from "./floor.ts";

const FLOOR_POWER = 1e-12;

/** Computes A-weighting in dB (IEC 61672-1), no lower than `FLOOR_DB`. */
export function aWeightingDb(hz: number): number {
  const square = hz ** 2;
  const response =
    (12194.217 ** 2 * square ** 2) /
    ((square + 20.598997 ** 2) *
      Math.sqrt((square + 107.65265 ** 2) * (square + 737.86223 ** 2)) *
      (square + 12194.217 ** 2));
  return Math.max(20 * Math.log10(response) + 2, FLOOR_DB);
}

/** 10 log10 of the mean over bins of |S|^2 * 10^(A / 10), S the spectrum of a frame under a Hann window. */
export class LoudnessMeter {
  readonly #kernels: KernelExports;
  readonly #size: number;
  readonly #floorDb: number;
  readonly #window: Block;
  /** Samples of a frame before its moment. */
  readonly before: number;
  /** Of the half-sized complex transform, and of the real one that follows from it. */
  readonly #roots: Block;
  readonly #realRoots: Block;
  readonly #weights: Block;
  readonly #re: readonly [Block, Block];
  readonly #im: readonly [Block, Block];

  /**
   * @param after samples of a frame after its moment, at most half of it. Fewer than that make the window's fall
   *   steeper, so that a frame is measured sooner; its energy stays that of the Hann window.
   */
  constructor(kernels: KernelExports, audio: AudioFormat, after = audio.loudness.fft_size / 2) {
    const { fft_size: size, floor_db: floorDb } = audio.loudness;
    const bins = size / 2 + 1;
    const weight = (_: unknown, bin: number) => 10 ** (aWeightingDb((bin * audio.sample_rate) / size) / 10) / bins;
    this.before = size - after;
    const hann = (_: unknown, i: number) =>
      Math.cos((Math.PI / 2) * ((i - this.before) / (i < this.before ? this.before : after))) ** 2;
    this.#kernels = kernels;
    this.#size = size;
    this.#floorDb = floorDb;
    this.#window = blockOf(kernels, Float32Array.from({ length: size }, hann));
    this.#roots = blockOf(kernels, rootsOf(size / 2));
    this.#realRoots = blockOf(kernels, rootsOf(size));
    this.#weights = blockOf(kernels, Float32Array.from({ length: bins }, weight));
    this.#re = [new Block(kernels, size / 2), new Block(kernels, size / 2)];
    this.#im = [new Block(kernels, size / 2), new Block(kernels, size / 2)];
  }

  /** Measures a frame. @param frame address of its first sample, `before` its moment. @returns dB. */
  measure(frame: number): number {
    const kernels = this.#kernels;
    const half = this.#size / 2;
    const [re, re2] = this.#re;
    const [im, im2] = this.#im;
    kernels.windowFrame(frame, this.#window.at, this.#size, re.at, im.at);
    const other = kernels.fft(re.at, im.at, re2.at, im2.at, half, this.#roots.at);
    const [x, y] = other ? [re2, im2] : [re, im];
    const power = kernels.weightedPower(x.at, y.at, half, this.#realRoots.at, this.#weights.at);
    return Math.max(10 * Math.log10(Math.max(power, FLOOR_POWER)), this.#floorDb);
  }
}
