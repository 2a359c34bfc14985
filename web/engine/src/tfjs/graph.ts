/** A bundle's TensorFlow.js graphs, run on whichever backend is set. */

import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import { BundleError } from "../bundle/errors.ts";
import type { Instrument } from "../bundle/load.ts";
import type { Graph } from "../bundle/manifest.ts";
import { type ClipFeatures, checkFeatures } from "../clip/controls.ts";

/** The parts of `controls/model.json` that are read here. */
interface StoredGraph {
  readonly modelTopology: object;
  readonly signature: object;
  readonly weightsManifest: readonly { readonly weights: tf.io.WeightsManifestEntry[] }[];
}

/** A graph that TF.js has loaded. */
export class BundleGraph {
  private readonly model: GraphModel<tf.io.IOHandler>;
  private readonly graph: Graph;

  private constructor(model: GraphModel<tf.io.IOHandler>, graph: Graph) {
    this.model = model;
    this.graph = graph;
  }

  /**
   * Hands a graph to TF.js from memory: only bytes whose size and hash were checked.
   *
   * @throws BundleError a file is missing or damaged, or TF.js cannot load it.
   */
  static async load(
    instrument: Pick<Instrument, "manifest" | "file">,
    name: "controls" | "full",
    signal?: AbortSignal,
  ) {
    const graph = instrument.manifest.graphs[name];
    const [stored, weightData] = await Promise.all([
      instrument.file(graph.model, signal),
      instrument.file(graph.weights, signal),
    ]);
    try {
      const { modelTopology, signature, weightsManifest } = JSON.parse(new TextDecoder().decode(stored)) as StoredGraph;
      const weightSpecs = weightsManifest.flatMap((group) => group.weights);
      const handler = tf.io.fromMemory({ modelTopology, signature, weightSpecs, weightData });
      return new BundleGraph(await loadGraphModel(handler), graph);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BundleError(graph.model, `cannot be loaded by TensorFlow.js: ${reason}`, { cause });
    }
  }

  /**
   * Runs the graph. The caller disposes the outputs.
   *
   * @param inputs by name, in the shapes of the manifest.
   * @returns outputs by name.
   */
  async run(inputs: tf.NamedTensorMap): Promise<Record<string, tf.Tensor>> {
    const names = this.graph.outputs.map((output) => output.name);
    const result = this.graph.dynamic
      ? await this.model.executeAsync(inputs, names)
      : this.model.execute(inputs, names);
    const tensors = Array.isArray(result) ? result : [result];
    return Object.fromEntries(names.map((name, i) => [name, tensors[i] as tf.Tensor]));
  }

  /**
   * Converts features to the graph's inputs, each [1, frames, 1]. The caller disposes them.
   *
   * @throws RangeError there are no frames, or the features' lengths differ.
   */
  inputs(features: ClipFeatures): Record<string, tf.Tensor> {
    checkFeatures(features);
    const columns = new Map([
      ["f0_hz", features.f0Hz],
      ["loudness_db", features.loudnessDb],
      ["rms_energy", features.rms],
    ]);
    const inputs: Record<string, tf.Tensor> = {};
    for (const { name } of this.graph.inputs) {
      const values = columns.get(name);
      if (values !== undefined) inputs[name] = tf.tensor3d(values, [1, values.length, 1]);
    }
    return inputs;
  }

  dispose(): void {
    this.model.dispose();
  }
}
