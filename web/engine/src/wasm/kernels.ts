/** The WebAssembly kernels of `assembly/`, and blocks of their memory. */

import base64 from "swara:kernels";

/** Exports of `assembly/index.ts`; every pointer is a `Block`'s. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  copy(from: number, to: number, n: number): void;
  accumulate(x: number, rows: number, kernel: number, y: number, columns: number): void;
  addLeaky(x: number, y: number, n: number, slope: number): void;
  gatedStep(a: number, b: number, h: number, units: number): void;
  leaky(x: number, n: number, slope: number): void;
  normalise(x: number, n: number, gamma: number, beta: number, epsilon: number, y: number): void;
  scaleControls(x: number, n: number, bias: number): void;
  harmonicAmplitudes(
    distribution: number,
    n: number,
    f0: number,
    nyquist: number,
    amplitude: number,
    out: number,
  ): void;
  renderHarmonics(
    out: number,
    count: number,
    from: number,
    to: number,
    n: number,
    hz: number,
    slope: number,
    phase: number,
    position: number,
    step: number,
    smooth: boolean,
    rate: number,
    nyquist: number,
    scratch: number,
  ): number;
  convolve(x: number, n: number, taps: number, length: number, out: number): void;
  resample(
    x: number,
    table: number,
    phases: number,
    length: number,
    phase: number,
    advance: number,
    out: number,
    count: number,
  ): void;
  fft(re: number, im: number, re2: number, im2: number, n: number, roots: number): number;
  multiplySpectra(re: number, im: number, byRe: number, byIm: number, n: number): void;
  weightedPower(re: number, im: number, n: number, roots: number, weights: number): number;
  windowFrame(x: number, window: number, n: number, re: number, im: number): void;
  sumOfSquares(x: number, n: number): number;
  correlate(x: number, n: number, first: number, last: number, floor: number, out: number): void;
}

/** Some float32 values in the kernels' memory. */
export class Block {
  readonly at: number;
  readonly length: number;
  readonly #memory: WebAssembly.Memory;
  #view: Float32Array | undefined;

  constructor(kernels: KernelExports, length: number) {
    this.at = kernels.allocate(length * Float32Array.BYTES_PER_ELEMENT);
    this.length = length;
    this.#memory = kernels.memory;
  }

  /** The values themselves. Made anew only where the memory has grown since: keep no view across an allocation. */
  get values(): Float32Array {
    if (this.#view?.buffer !== this.#memory.buffer)
      this.#view = new Float32Array(this.#memory.buffer, this.at, this.length);
    return this.#view;
  }

  /** Address of the value at an index. */
  address(index: number): number {
    return this.at + index * Float32Array.BYTES_PER_ELEMENT;
  }
}

/** Makes a block that holds the given values, padded with zeros to a multiple of four. */
export function blockOf(kernels: KernelExports, values: ArrayLike<number>): Block {
  const block = new Block(kernels, padded(values.length));
  block.values.set(values);
  return block;
}

/** Makes a block that holds a matrix [rows, columns], each row padded with zeros to a multiple of four. */
export function matrixBlock(kernels: KernelExports, values: Float32Array, columns: number): Block {
  const rows = values.length / columns;
  const stride = padded(columns);
  const block = new Block(kernels, rows * stride);
  for (let row = 0; row < rows; row++) {
    block.values.set(values.subarray(row * columns, (row + 1) * columns), row * stride);
  }
  return block;
}

/** Rounds up to a multiple of four: vectors have four lanes. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

/** Decodes the module's bytes, to compile where they are needed: an audio worklet gets them as they are. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** Makes an instance with memory of its own. The module is compiled once. */
export async function createKernels(): Promise<KernelExports> {
  compiled ??= WebAssembly.compile(kernelBytes()).catch((cause: Error) => {
    throw new Error(`this browser cannot run the engine: WebAssembly with SIMD is needed (${cause.message})`, {
      cause,
    });
  });
  return instantiate(await compiled);
}

/** Makes an instance of a compiled module, at once. */
export function instantiate(module: WebAssembly.Module): KernelExports {
  return new WebAssembly.Instance(module).exports as unknown as KernelExports;
}
