/** The kernels' Fourier transform. */

import { Block, blockOf, type KernelExports } from "./kernels.ts";

/** Computes the cosines and then the sines of a circle in n steps, [2, n]: what the kernels' transform needs. */
export function rootsOf(n: number): Float32Array {
  const roots = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    roots[i] = Math.cos((2 * Math.PI * i) / n);
    roots[n + i] = Math.sin((2 * Math.PI * i) / n);
  }
  return roots;
}

/** Transforms of one size on the kernels. */
export class Fourier {
  readonly #kernels: KernelExports;
  readonly #size: number;
  readonly #roots: Block;
  readonly #first: { readonly re: Block; readonly im: Block };
  readonly #second: { readonly re: Block; readonly im: Block };

  constructor(kernels: KernelExports, size: number) {
    const pair = () => ({ re: new Block(kernels, size), im: new Block(kernels, size) });
    this.#kernels = kernels;
    this.#size = size;
    this.#roots = blockOf(kernels, rootsOf(size));
    this.#first = pair();
    this.#second = pair();
  }

  /** Computes the spectrum of at most `size` real values, over `size` so that going forth and back keeps the level. */
  spectrumOf(values: Float32Array): { readonly re: Block; readonly im: Block } {
    this.#first.re.values.fill(0).set(values);
    this.#first.im.values.fill(0);
    const { re, im } = this.#transform(this.#first);
    const scaled = (block: Block) =>
      blockOf(
        this.#kernels,
        Float32Array.from(block.values, (x) => x / this.#size),
      );
    const [scaledRe, scaledIm] = [scaled(re), scaled(im)];
    return { re: scaledRe, im: scaledIm };
  }

  /** Filters two real signals, into the same arrays. */
  filter(re: Float32Array, im: Float32Array, response: { readonly re: Block; readonly im: Block }): void {
    this.#first.re.values.set(re);
    this.#first.im.values.set(im);
    const spectrum = this.#transform(this.#first);
    this.#kernels.multiplySpectra(spectrum.re.at, spectrum.im.at, response.re.at, response.im.at, this.#size);
    const back = this.#transform({ re: spectrum.im, im: spectrum.re }); // with the parts exchanged it goes back
    re.set(back.im.values);
    im.set(back.re.values);
  }

  /** Transforms a pair of blocks. The result is in either of the two pairs. */
  #transform(from: { readonly re: Block; readonly im: Block }) {
    const isFirst = from.re === this.#first.re || from.re === this.#first.im;
    const to = isFirst ? this.#second : this.#first;
    const { at } = this.#roots;
    return this.#kernels.fft(from.re.at, from.im.at, to.re.at, to.im.at, this.#size, at) ? to : from;
  }
}
