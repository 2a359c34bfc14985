/** Chooses where TensorFlow.js computes. */

import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import type { Instrument } from "../bundle/load.ts";

export type BackendName = "webgl" | "wasm" | "cpu";

/** Renderers that compute on the processor: wasm does the same quicker. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/**
 * Lists the backends worth trying, the best first.
 *
 * @param hasCard there is WebGL 2 on a graphics card.
 * @param isLoop the network is a loop over frames. Its many small steps wait for a card longer than they compute, so
 *   webgl is left out.
 */
export function backendOrder(hasCard: boolean, isLoop: boolean): BackendName[] {
  return hasCard && !isLoop ? ["webgl", "wasm", "cpu"] : ["wasm", "cpu"];
}

/**
 * Sets the first TF.js backend that starts on this device.
 *
 * The wasm backend looks for its files beside the page's script; where they lie elsewhere, call `setWasmPaths` of
 * `@tensorflow/tfjs-backend-wasm` before.
 *
 * @param instrument whose controls will run; without it a network without loops is assumed.
 * @throws Error none starts.
 */
export async function chooseBackend(instrument?: Pick<Instrument, "manifest">): Promise<BackendName> {
  const isLoop = instrument?.manifest.graphs.controls.dynamic ?? false;
  const order = backendOrder(hasGraphicsCard(), isLoop);
  for (const name of order) {
    if (await tf.setBackend(name)) {
      await tf.ready();
      return name;
    }
  }
  throw new Error(`TensorFlow.js starts on none of its backends here (tried ${order.join(", ")})`);
}

/** Checks whether WebGL 2 draws into float textures, on something better than the processor. */
export function hasGraphicsCard(): boolean {
  if (typeof OffscreenCanvas === "undefined") return false;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (gl === null) return false;
  const unmasked = gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL;
  const renderer = String(gl.getParameter(unmasked ?? gl.RENDERER));
  const drawsFloats = gl.getExtension("EXT_color_buffer_float") !== null;
  gl.getExtension("WEBGL_lose_context")?.loseContext(); // browsers allow but a few contexts
  return drawsFloats && !SOFTWARE.test(renderer);
}
