/** Runs one exported graph with TF.js on whichever backend is set: the same code in a page and in Node. */

import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import type { Case } from "./cases.ts";

export interface Output {
  readonly shape: number[];
  readonly data: Float32Array;
}

export interface GraphRun {
  readonly loadMs: number;
  /** The first run: shaders are compiled and weights uploaded in it. */
  readonly coldMs: number;
  /** The second run on the same inputs. */
  readonly warmMs: number;
  /** Whether control flow forces `executeAsync`. */
  readonly dynamic: boolean;
  /** Most bytes of GPU memory seen allocated after a run; null where there is no GPU. */
  readonly gpuBytes: number | null;
  /** Case -> output -> values. */
  readonly outputs: Record<string, Record<string, Output>>;
}

/**
 * Loads `BASE/bundle/GRAPH/model.json` and runs every case of that graph.
 *
 * Throws what TF.js throws where the graph does not load or run, and an Error where there is no case.
 */
export async function runGraph(base: string, graph: string, cases: readonly Case[]): Promise<GraphRun> {
  const begun = performance.now();
  const model = await loadGraphModel(`${base}/bundle/${graph}/model.json`);
  const loadMs = performance.now() - begun;
  try {
    return { loadMs, ...(await runCases(model, base, cases)) };
  } finally {
    model.dispose();
  }
}

async function runCases(model: GraphModel, base: string, cases: readonly Case[]): Promise<Omit<GraphRun, "loadMs">> {
  const [first, ...others] = cases;
  if (first === undefined) throw new Error("no case for this graph");
  const executor = new Executor(model);
  const outputs: GraphRun["outputs"] = {};
  let gpuBytes: number | null = null;
  const run = async (item: Case): Promise<number> => {
    const timed = await runCase(executor, base, item);
    outputs[item.name] = timed.outputs;
    gpuBytes = maxOf(gpuBytes, gpuBytesAllocated());
    return timed.ms;
  };
  const coldMs = await run(first);
  const warmMs = await run(first);
  for (const item of others) await run(item);
  return { coldMs, warmMs, dynamic: executor.dynamic, gpuBytes, outputs };
}

/** `execute`, or `executeAsync` once TF.js has reported that the graph's control flow needs it. */
class Executor {
  dynamic = false;
  private readonly model: GraphModel;

  constructor(model: GraphModel) {
    this.model = model;
  }

  async execute(inputs: Record<string, tf.Tensor>, outputs: string[]): Promise<tf.Tensor[]> {
    if (!this.dynamic) {
      try {
        return asList(this.model.execute(inputs, outputs));
      } catch (error) {
        // TF.js refuses before it runs any node.
        if (!(error instanceof Error && error.message.includes("executeAsync()"))) throw error;
        this.dynamic = true;
      }
    }
    return asList(await this.model.executeAsync(inputs, outputs));
  }
}

async function runCase(
  executor: Executor,
  base: string,
  item: Case,
): Promise<{ ms: number; outputs: Record<string, Output> }> {
  const inputs = await loadInputs(base, item);
  const begun = performance.now();
  const tensors = await executor.execute(inputs, [...item.outputs]);
  const data = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  const ms = performance.now() - begun;
  const outputs: Record<string, Output> = {};
  for (const [i, name] of item.outputs.entries()) {
    const tensor = tensors[i];
    const values = data[i];
    if (tensor === undefined || values === undefined) throw new Error(`the graph gave no output ${name}`);
    outputs[name] = { shape: [...tensor.shape], data: Float32Array.from(values) };
  }
  tf.dispose([inputs, tensors]);
  return { ms, outputs };
}

async function loadInputs(base: string, item: Case): Promise<Record<string, tf.Tensor>> {
  const entries = Object.entries(item.inputs).map(async ([name, { file, shape }]) => {
    const response = await fetch(`${base}/cases/${file}`);
    if (!response.ok) throw new Error(`cases/${file}: HTTP ${response.status}`);
    return [name, tf.tensor(new Float32Array(await response.arrayBuffer()), [...shape], "float32")] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Reads WebGL's own count; `numBytesInGPU` would be the logical size, without padding and recycled textures. */
function gpuBytesAllocated(): number | null {
  const memory = tf.memory() as { numBytesInGPUAllocated?: number };
  return memory.numBytesInGPUAllocated ?? null;
}

function maxOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function asList(result: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(result) ? result : [result];
}
