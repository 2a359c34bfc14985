/** The recurrent network, one frame at a time. */

import type { GruNetwork } from "../bundle/manifest.ts";
import { Block, type KernelExports, padded } from "../wasm/kernels.ts";
import { Dense, denseOf, Norm, type Tensors, tensor } from "./layers.ts";
import type { NetworkSteps } from "./network_steps.ts";

export class GruSteps implements NetworkSteps {
  readonly input: Block;
  readonly output: Block;
  readonly #kernels: KernelExports;
  readonly #stacks: readonly Stack[];
  readonly #gates: Dense;
  readonly #recurrent: Dense;
  readonly #outputStack: Stack;
  readonly #last: Dense;
  /** Inputs of the output stack: the input stacks' outputs and then the state. */
  readonly #joined: Block;
  readonly #state: Block;
  readonly #network: GruNetwork;

  constructor(kernels: KernelExports, network: GruNetwork, tensors: Tensors) {
    const { inputs, units, stack_units: width } = network;
    this.#kernels = kernels;
    this.#network = network;
    this.input = new Block(kernels, padded(inputs.length));
    this.#stacks = inputs.map(({ name }) => new Stack(kernels, network, tensors, name));
    this.#gates = denseOf(kernels, tensors, "decoder/gru");
    const recurrent = tensor(tensors, "decoder/gru/recurrent_kernel");
    this.#recurrent = new Dense(kernels, recurrent, tensor(tensors, "decoder/gru/recurrent_bias"));
    this.#outputStack = new Stack(kernels, network, tensors, "output");
    this.#last = denseOf(kernels, tensors, "decoder/output");
    this.output = this.#last.output;
    this.#joined = new Block(kernels, padded(inputs.length * width + units));
    this.#state = new Block(kernels, padded(units));
  }

  step(): void {
    const { units, stack_units: width } = this.#network;
    const joined = this.#joined;
    for (let i = 0; i < this.#stacks.length; i++) {
      const stack = this.#stacks[i] as Stack;
      stack.run(this.input.address(i));
      this.#kernels.copy(stack.output.at, joined.address(i * width), width);
    }
    this.#gates.run(joined.at);
    this.#recurrent.run(this.#state.at);
    this.#kernels.gatedStep(this.#gates.output.at, this.#recurrent.output.at, this.#state.at, units);
    this.#kernels.copy(this.#state.at, joined.address(this.#stacks.length * width), units);
    this.#outputStack.run(joined.at);
    this.#last.run(this.#outputStack.output.at);
  }

  reset(): void {
    this.#state.values.fill(0);
  }
}

/** Dense - norm - leaky, some layers of it. */
class Stack {
  readonly output: Block;
  readonly #kernels: KernelExports;
  readonly #layers: readonly { readonly dense: Dense; readonly norm: Norm }[];
  readonly #slope: number;

  constructor(kernels: KernelExports, network: GruNetwork, tensors: Tensors, name: string) {
    const path = `decoder/${name}_stack`;
    this.#kernels = kernels;
    this.#layers = Array.from({ length: network.stack_layers }, (_, i) => ({
      dense: denseOf(kernels, tensors, `${path}/${i}/dense`),
      norm: new Norm(kernels, tensors, `${path}/${i}/norm`, network.layer_norm_epsilon),
    }));
    this.#slope = network.leaky_slope;
    const last = this.#layers.at(-1);
    if (!last) throw new Error(`the network has no layers in ${path}`);
    this.output = last.dense.output;
  }

  run(x: number): void {
    let input = x;
    for (const { dense, norm } of this.#layers) {
      dense.run(input);
      const output = dense.output.at;
      norm.run(output, output);
      this.#kernels.leaky(output, dense.columns, this.#slope);
      input = output;
    }
  }
}
