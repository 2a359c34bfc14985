/** Convolution of a clip with an impulse response, through the Fourier transform. */

import { Block, blockOf, createKernels, type KernelExports } from "../wasm/kernels.ts";
import { transform } from "./js_fft.ts";

const LEAST_SIZE = 1024;

/** @returns [signal + taps - 1]. */
export async function convolve(signal: Float32Array, taps: Float32Array): Promise<Float32Array> {
  const size = transformSize(taps.length);
  const fourier = new Fourier(await createKernels(), size);
  const response = fourier.spectrumOf(taps);
  return overlapAdd(signal, taps.length, size, (re, im) => fourier.filter(re, im, response));
}

/** As `convolve`, in plain JavaScript and float64. */
export function convolveInJs(signal: ArrayLike<number>, taps: Float32Array): Float64Array {
  const size = transformSize(taps.length);
  const responseRe = new Float64Array(size);
  const responseIm = new Float64Array(size);
  responseRe.set(taps);
  transform(responseRe, responseIm);
  return overlapAdd(Float64Array.from(signal), taps.length, size, (re, im) => {
    transform(re, im);
    for (let i = 0; i < size; i++) {
      const [a, b, c, d] = [re[i], im[i], responseRe[i], responseIm[i]] as [number, number, number, number];
      re[i] = (a * c - b * d) / size;
      im[i] = (a * d + b * c) / size;
    }
    transform(im, re); // with the parts exchanged it goes back
  });
}

/** A power of two that leaves at least as much room for signal as the taps take. */
function transformSize(taps: number): number {
  return Math.max(LEAST_SIZE, 2 ** Math.ceil(Math.log2(2 * taps)));
}

type Samples = Float32Array | Float64Array;

/** Filters blocks two by two, one as real and one as imaginary part, and adds up what overlaps. */
function overlapAdd<T extends Samples>(signal: T, taps: number, size: number, filter: (re: T, im: T) => void): T {
  const make = (length: number) => new (signal.constructor as new (length: number) => T)(length);
  const hop = size - taps + 1;
  const out = make(signal.length + taps - 1);
  const [re, im] = [make(size), make(size)];
  const add = (values: T, start: number) => {
    const end = Math.min(size, out.length - start);
    for (let i = 0; i < end; i++) out[start + i] = (out[start + i] as number) + (values[i] as number);
  };
  for (let start = 0; start < signal.length; start += 2 * hop) {
    re.fill(0).set(signal.subarray(start, start + hop));
    im.fill(0).set(signal.subarray(start + hop, start + 2 * hop));
    filter(re, im);
    add(re, start);
    add(im, start + hop);
  }
  return out;
}

/** The cosines and then the sines of a circle in n steps: what the kernels' transform needs. */
export function rootsOf(n: number): Float32Array {
  const roots = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    roots[i] = Math.cos((2 * Math.PI * i) / n);
    roots[n + i] = Math.sin((2 * Math.PI * i) / n);
  }
  return roots;
}

/** Transforms of one size on the kernels. */
class Fourier {
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

  /** The spectrum of at most `size` real values, over `size` so that going forth and back keeps the level. */
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

  /** Filters two real signals in place. */
  filter(re: Float32Array, im: Float32Array, response: { readonly re: Block; readonly im: Block }): void {
    this.#first.re.values.set(re);
    this.#first.im.values.set(im);
    const spectrum = this.#transform(this.#first);
    this.#kernels.multiplySpectra(spectrum.re.at, spectrum.im.at, response.re.at, response.im.at, this.#size);
    const back = this.#transform({ re: spectrum.im, im: spectrum.re }); // with the parts exchanged it goes back
    re.set(back.im.values);
    im.set(back.re.values);
  }

  /** The result lies in one of the two pairs of blocks. */
  #transform(from: { readonly re: Block; readonly im: Block }) {
    const isFirst = from.re === this.#first.re || from.re === this.#first.im;
    const to = isFirst ? this.#second : this.#first;
    const { at } = this.#roots;
    return this.#kernels.fft(from.re.at, from.im.at, to.re.at, to.im.at, this.#size, at) ? to : from;
  }
}
