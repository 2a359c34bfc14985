/** The network on TensorFlow.js: features -> controls. */

import * as tf from "@tensorflow/tfjs-core";
import type { Instrument } from "../bundle/load.ts";
import type { ClipFeatures } from "../clip/controls.ts";
import { BundleGraph } from "./graph.ts";

/** An instrument's network, ready to run on the backend that was set when it was loaded. */
export class ControlsModel {
  readonly instrument: Instrument;
  private readonly graph: BundleGraph;

  constructor(instrument: Instrument, graph: BundleGraph) {
    this.instrument = instrument;
    this.graph = graph;
  }

  /**
   * Computes the synthesiser's controls, frame by frame; scaled, and silent at and above Nyquist.
   *
   * @param features each [frames], at the bundle's frame rate.
   * @returns the network's outputs by name, each [frames, channels], on the current backend. The caller disposes them.
   * @throws RangeError there are no frames, or the features' lengths differ.
   */
  async run(features: ClipFeatures): Promise<Record<string, tf.Tensor2D>> {
    const inputs = this.graph.inputs(features);
    try {
      const outputs = await this.graph.run(inputs);
      return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, withoutBatch(tensor)] as const));
    } finally {
      tf.dispose(inputs);
    }
  }

  /** Gives the weights' memory back. */
  dispose(): void {
    this.graph.dispose();
  }
}

/**
 * Loads an instrument's network onto the current backend; see `chooseBackend`.
 *
 * @throws BundleError a file is missing or damaged, or TF.js cannot load it.
 */
export async function loadControls(instrument: Instrument, signal?: AbortSignal): Promise<ControlsModel> {
  return new ControlsModel(instrument, await BundleGraph.load(instrument, "controls", signal));
}

/** Reshapes [1, frames, channels] to [frames, channels], in the same memory. */
function withoutBatch(tensor: tf.Tensor): tf.Tensor2D {
  const [, frames = 0, channels = 0] = tensor.shape;
  const rows = tf.reshape(tensor, [frames, channels]) as tf.Tensor2D;
  tensor.dispose();
  return rows;
}
