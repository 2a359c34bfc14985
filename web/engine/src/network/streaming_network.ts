/** The network on the kernels: features in, raw controls out, one frame at a time. */

import type { Manifest, Network } from "../bundle/manifest.ts";
import { Block, type KernelExports } from "../wasm/kernels.ts";
import { CnnSteps } from "./cnn.ts";
import { GruSteps } from "./gru.ts";
import { type FrameFeatures, framesHeld, networkInput } from "./inputs.ts";
import type { Tensors } from "./layers.ts";
import type { NetworkSteps } from "./network_steps.ts";

export class StreamingNetwork {
  /** Controls of the newest frame, scaled, in the order of the manifest's outputs. The caller may change them. */
  readonly controls: Block;
  readonly #kernels: KernelExports;
  readonly #network: Network;
  readonly #steps: NetworkSteps;
  readonly #hold: number;
  /** The network's last controls, where they are held. */
  readonly #held: Block;
  /** Frames until the network runs again. */
  #wait = 0;

  constructor(kernels: KernelExports, manifest: Manifest, tensors: Tensors) {
    const { network } = manifest;
    this.#kernels = kernels;
    this.#network = network;
    this.#hold = framesHeld(manifest);
    this.#steps =
      network.architecture === "cnn"
        ? new CnnSteps(kernels, network, tensors)
        : new GruSteps(kernels, network, tensors);
    this.controls = this.#steps.output;
    this.#held = new Block(kernels, this.controls.length);
  }

  /** Takes the next frame and leaves its controls in `controls`. */
  step(frame: Readonly<FrameFeatures>): void {
    if (this.#wait === 0) this.#run(frame);
    else this.#kernels.copy(this.#held.at, this.controls.at, this.controls.length);
    this.#wait = (this.#wait + this.#hold - 1) % this.#hold;
  }

  #run(frame: Readonly<FrameFeatures>): void {
    const { inputs, outputs } = this.#network;
    const values = this.#steps.input.values;
    for (let i = 0; i < inputs.length; i++) values[i] = networkInput(inputs[i] as (typeof inputs)[number], frame);
    this.#steps.step();
    let start = 0;
    for (const { channels, bias } of outputs) {
      this.#kernels.scaleControls(this.controls.address(start), channels, bias);
      start += channels;
    }
    if (this.#hold > 1) this.#kernels.copy(this.controls.at, this.#held.at, this.controls.length);
  }

  /** Forgets all frames. */
  reset(): void {
    this.#steps.reset();
    this.#wait = 0;
  }
}
