/** The network on the kernels: features in, raw controls out, one frame at a time. */

import type { Network } from "../bundle/manifest.ts";
import type { Block, KernelExports } from "../wasm/kernels.ts";
import { CnnSteps } from "./cnn.ts";
import { GruSteps } from "./gru.ts";
import { type FrameFeatures, networkInput } from "./inputs.ts";
import type { Tensors } from "./layers.ts";

/** An architecture. `step` reads `input` and writes `output`; what it remembers is its own. */
export interface NetworkSteps {
  readonly input: Block;
  readonly output: Block;
  step(): void;
  reset(): void;
}

export class StreamingNetwork {
  /** Controls of the newest frame, scaled, in the order of the manifest's outputs. */
  readonly controls: Block;
  readonly #kernels: KernelExports;
  readonly #network: Network;
  readonly #steps: NetworkSteps;

  constructor(kernels: KernelExports, network: Network, tensors: Tensors) {
    this.#kernels = kernels;
    this.#network = network;
    this.#steps =
      network.architecture === "cnn"
        ? new CnnSteps(kernels, network, tensors)
        : new GruSteps(kernels, network, tensors);
    this.controls = this.#steps.output;
  }

  /** Hears the next frame and leaves its controls in `controls`. */
  step(frame: Readonly<FrameFeatures>): void {
    const { inputs, outputs } = this.#network;
    const heard = this.#steps.input.values;
    for (let i = 0; i < inputs.length; i++) heard[i] = networkInput(inputs[i] as (typeof inputs)[number], frame);
    this.#steps.step();
    let start = 0;
    for (const { channels, bias } of outputs) {
      this.#kernels.scaleControls(this.controls.address(start), channels, bias);
      start += channels;
    }
  }

  /** Forgets all frames. */
  reset(): void {
    this.#steps.reset();
  }
}
