/** The opened page's side: functions for the command line that drives it. */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgl";
import { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import type { Case } from "./cases.ts";
import { type GraphRun, runGraph } from "./graph.ts";

export interface PageApi {
  /** Makes a backend the current one; returns the name of the renderer behind WebGL, else null. */
  start(backend: string): Promise<string | null>;
  run(graph: string, cases: readonly Case[]): Promise<GraphRun>;
  /** Whether the WebGL context is gone, as it is when the GPU process has crashed. */
  lost(): boolean;
}

declare global {
  var swara: PageApi;
}

globalThis.swara = {
  async start(backend) {
    setWasmPaths(`${location.origin}/wasm/`);
    if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend does not start here`);
    await tf.ready();
    return rendererOf(webgl());
  },
  async run(graph, cases) {
    const result = await runGraph(location.origin, graph, cases);
    if (globalThis.swara.lost()) throw new Error("the WebGL context was lost");
    return result;
  },
  lost() {
    return webgl()?.isContextLost() ?? false;
  },
};

function webgl(): WebGLRenderingContext | null {
  const backend = tf.backend();
  return backend instanceof MathBackendWebGL ? backend.gpgpu.gl : null;
}

function rendererOf(gl: WebGLRenderingContext | null): string | null {
  const unmasked = gl?.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL;
  return gl?.getParameter(unmasked ?? gl.RENDERER) ?? null;
}
