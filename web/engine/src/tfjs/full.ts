/** The whole instrument as one graph of stock operations: what any TensorFlow.js program can run, to compare with. */

import * as tf from "@tensorflow/tfjs-core";
import type { Instrument } from "../bundle/load.ts";
import type { ClipFeatures } from "../clip/controls.ts";
import { BundleGraph } from "./graph.ts";

/** An instrument's `full/` graph: features and noise -> dry sound. */
export class FullModel {
  private readonly graph: BundleGraph;

  constructor(graph: BundleGraph) {
    this.graph = graph;
  }

  /**
   * Renders a clip.
   *
   * @param features each [frames].
   * @param noise [frames * hop], uniform in [-1, 1).
   * @returns the dry sound, [frames * hop].
   * @throws RangeError there are no frames, or the features' lengths differ.
   */
  async render(features: ClipFeatures, noise: Float32Array): Promise<Float32Array> {
    const inputs = this.graph.inputs(features);
    inputs.noise = tf.tensor2d(noise, [1, noise.length]);
    try {
      const { audio } = await this.graph.run(inputs);
      if (audio === undefined) throw new Error("the full graph has no output `audio`");
      const samples = (await audio.data()) as Float32Array;
      audio.dispose();
      return samples;
    } finally {
      tf.dispose(inputs);
    }
  }

  dispose(): void {
    this.graph.dispose();
  }
}

/**
 * Loads an instrument's `full/` graph onto the current backend.
 *
 * @throws BundleError a file is missing or damaged, or TF.js cannot load it.
 */
export async function loadFull(
  instrument: Pick<Instrument, "manifest" | "file">,
  signal?: AbortSignal,
): Promise<FullModel> {
  return new FullModel(await BundleGraph.load(instrument, "full", signal));
}
