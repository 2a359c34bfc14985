/** Runs the cases on TF.js in this process, for machines without a browser. */

import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { type BackendRun, byGraph, emptyRun, messageOf } from "./backends.ts";
import type { Case } from "./cases.ts";
import { runGraph } from "./graph.ts";

/** Runs every graph on one TF.js backend. What fails is reported in the result, never thrown. */
export async function runInNode(origin: string, backend: string, cases: readonly Case[]): Promise<BackendRun> {
  const run = emptyRun();
  // With threads the wasm backend would keep its workers, and so this process, alive.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (!(await tf.setBackend(backend))) {
    run.error = `the ${backend} backend does not start here`;
    return run;
  }
  for (const [graph, its] of byGraph(cases)) {
    try {
      run.graphs[graph] = await runGraph(origin, graph, its);
    } catch (error) {
      run.graphs[graph] = { error: messageOf(error) };
    }
  }
  return run;
}
