/** Layers of a network in the kernels' memory. */

import { Block, blockOf, type KernelExports, matrixBlock, padded } from "../wasm/kernels.ts";

export type Tensors = ReadonlyMap<string, Float32Array>;

/** Looks up the values of a tensor. `checkPlayable` has made sure that it is there. */
export function tensor(tensors: Tensors, name: string): Float32Array {
  const values = tensors.get(name);
  if (!values) throw new Error(`the network has no ${name}`);
  return values;
}

/** y = x @ kernel + bias. */
export class Dense {
  readonly columns: number;
  /** Output of `run`: padded(columns) values. */
  readonly output: Block;
  readonly #kernels: KernelExports;
  readonly #rows: number;
  readonly #kernel: Block;
  readonly #bias: Block;

  constructor(kernels: KernelExports, kernel: Float32Array, bias: Float32Array) {
    this.#kernels = kernels;
    this.columns = bias.length;
    this.#rows = kernel.length / bias.length;
    this.#kernel = matrixBlock(kernels, kernel, this.columns);
    this.#bias = blockOf(kernels, bias);
    this.output = new Block(kernels, padded(this.columns));
  }

  /** @param x address of the input. */
  run(x: number): void {
    const { output } = this;
    this.#kernels.copy(this.#bias.at, output.at, output.length);
    this.#kernels.accumulate(x, this.#rows, this.#kernel.at, output.at, output.length);
  }
}

/** Makes a dense layer by its name in the manifest. */
export function denseOf(kernels: KernelExports, tensors: Tensors, name: string): Dense {
  return new Dense(kernels, tensor(tensors, `${name}/kernel`), tensor(tensors, `${name}/bias`));
}

/** Layer normalisation over the channels of one frame. */
export class Norm {
  readonly #kernels: KernelExports;
  readonly #gamma: Block;
  readonly #beta: Block;
  readonly #width: number;
  readonly #epsilon: number;

  constructor(kernels: KernelExports, tensors: Tensors, name: string, epsilon: number) {
    const gamma = tensor(tensors, `${name}/gamma`);
    this.#kernels = kernels;
    this.#width = gamma.length;
    this.#gamma = blockOf(kernels, gamma);
    this.#beta = blockOf(kernels, tensor(tensors, `${name}/beta`));
    this.#epsilon = epsilon;
  }

  /** @param x, y addresses of input and output; they may be the same. */
  run(x: number, y: number): void {
    this.#kernels.normalise(x, this.#width, this.#gamma.at, this.#beta.at, this.#epsilon, y);
  }
}
