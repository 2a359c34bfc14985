/** The causal dilated network, one frame at a time. */

import type { CnnNetwork } from "../bundle/manifest.ts";
import { Block, blockOf, type KernelExports, matrixBlock, padded } from "../wasm/kernels.ts";
import { type Dense, denseOf, Norm, type Tensors, tensor } from "./layers.ts";
import type { NetworkSteps } from "./network_steps.ts";

export class CnnSteps implements NetworkSteps {
  readonly input: Block;
  readonly output: Block;
  readonly #first: Dense;
  readonly #last: Dense;
  readonly #layers: readonly CausalLayer[];

  constructor(kernels: KernelExports, network: CnnNetwork, tensors: Tensors) {
    this.input = new Block(kernels, padded(network.inputs.length));
    this.#first = denseOf(kernels, tensors, "decoder/input");
    this.#layers = network.dilations.map((dilation, i) => new CausalLayer(kernels, network, tensors, i, dilation));
    this.#last = denseOf(kernels, tensors, "decoder/output");
    this.output = this.#last.output;
  }

  step(): void {
    this.#first.run(this.input.at);
    const x = this.#first.output.at;
    for (const layer of this.#layers) layer.run(x);
    this.#last.run(x);
  }

  reset(): void {
    for (const layer of this.#layers) layer.reset();
  }
}

/** x += leaky(a dilated convolution of norm(x) now and before). */
class CausalLayer {
  readonly #kernels: KernelExports;
  readonly #norm: Norm;
  readonly #taps: readonly Block[];
  readonly #bias: Block;
  readonly #sum: Block;
  readonly #slope: number;
  readonly #channels: number;
  readonly #dilation: number;
  /** Normalised frames, the newest at `#slot`, as many as the convolution reaches back. */
  readonly #history: Block;
  readonly #span: number;
  #slot = 0;

  constructor(kernels: KernelExports, network: CnnNetwork, tensors: Tensors, index: number, dilation: number) {
    const { channels, kernel } = network;
    const name = `decoder/layer_${index}`;
    const weights = tensor(tensors, `${name}/conv/kernel`);
    const square = channels * channels;
    this.#kernels = kernels;
    this.#norm = new Norm(kernels, tensors, `${name}/norm`, network.layer_norm_epsilon);
    this.#taps = Array.from({ length: kernel }, (_, tap) =>
      matrixBlock(kernels, weights.subarray(tap * square, (tap + 1) * square), channels),
    );
    this.#bias = blockOf(kernels, tensor(tensors, `${name}/conv/bias`));
    this.#sum = new Block(kernels, padded(channels));
    this.#slope = network.leaky_slope;
    this.#channels = channels;
    this.#dilation = dilation;
    this.#span = (kernel - 1) * dilation + 1;
    this.#history = new Block(kernels, this.#span * padded(channels));
  }

  run(x: number): void {
    const stride = this.#sum.length;
    this.#slot = (this.#slot + 1) % this.#span;
    this.#norm.run(x, this.#history.address(this.#slot * stride));
    this.#kernels.copy(this.#bias.at, this.#sum.at, stride);
    for (let tap = 0; tap < this.#taps.length; tap++) {
      const late = (this.#taps.length - 1 - tap) * this.#dilation;
      const slot = (this.#slot - late + this.#span) % this.#span;
      const kernel = (this.#taps[tap] as Block).at;
      this.#kernels.accumulate(this.#history.address(slot * stride), this.#channels, kernel, this.#sum.at, stride);
    }
    this.#kernels.addLeaky(x, this.#sum.at, this.#channels, this.#slope);
  }

  reset(): void {
    this.#history.values.fill(0);
  }
}
