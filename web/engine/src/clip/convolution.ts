/** Convolution of a clip with an impulse response, through the Fourier transform. */

import { Fourier } from "../wasm/fourier.ts";
import { createKernels } from "../wasm/kernels.ts";
import { transform } from "./js_fft.ts";

const LEAST_SIZE = 1024;

/** Convolves a signal with taps. @returns [signal + taps - 1]. */
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

/** Chooses a power of two that leaves at least as many samples for the signal as the taps take. */
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
