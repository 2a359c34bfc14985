/** Clip mode on TensorFlow.js: features -> controls on its backend -> sound. */

import * as tf from "@tensorflow/tfjs-core";
import type { Manifest } from "../bundle/manifest.ts";
import { type ClipFeatures, type Controls, checkFeatures, controlsWidth } from "../clip/controls.ts";
import { finishClip, type RenderOptions, synthesise } from "../clip/render.ts";
import { describeChain } from "../synthesis/chain.ts";
import type { ControlsModel } from "./controls.ts";
import { fusedHarmonics, requireWebGl2 } from "./fused_harmonics.ts";

export interface TfjsRenderOptions extends Omit<RenderOptions, "synthesiser"> {
  /**
   * What renders the controls: one fused WebGL kernel for the harmonics (at the bundle's rate), WebAssembly, or plain
   * JavaScript. Default: webgl where that is the backend, else wasm. Noise and room never run on the graphics card.
   */
  readonly synthesiser?: "webgl" | "wasm" | "js";
  /**
   * Leaves textures in TF.js's pool for the next clip of the same length. Default false: every texture is deleted as
   * soon as nothing needs it, which takes a little longer and far less memory.
   */
  readonly keepTextures?: boolean;
}

/**
 * Plays features on an instrument whose controls run on TensorFlow.js.
 *
 * @param controls of `loadControls`.
 * @returns samples: frames * hop of them, and as many as the reverb rings on.
 * @throws RangeError the features have no frames or differ in length. Error: webgl is requested on another backend, or
 *   at another rate than the bundle's. An abort throws the signal's reason.
 */
export async function renderClipTfjs(
  controls: ControlsModel,
  features: ClipFeatures,
  options: TfjsRenderOptions = {},
): Promise<Float32Array> {
  checkFeatures(features);
  const { synthesiser = tf.getBackend() === "webgl" ? "webgl" : "wasm", ...others } = options;
  const render = () =>
    synthesiser === "webgl"
      ? renderOnWebGl(controls, features, others)
      : renderOnCpu(controls, features, { ...others, synthesiser });
  return options.keepTextures ? render() : withoutTexturePool(render);
}

async function renderOnCpu(
  model: ControlsModel,
  features: ClipFeatures,
  options: RenderOptions,
): Promise<Float32Array> {
  const { instrument } = model;
  const controls = gather(instrument.manifest, features, await valuesOf(await model.run(features)));
  return finishClip(instrument, await synthesise(instrument, controls, options), options);
}

async function renderOnWebGl(
  model: ControlsModel,
  features: ClipFeatures,
  options: RenderOptions,
): Promise<Float32Array> {
  const { instrument } = model;
  const { manifest } = instrument;
  const { sampleRate = manifest.audio.sample_rate } = options;
  if (sampleRate !== manifest.audio.sample_rate) {
    const both = `${sampleRate} Hz is requested, the bundle has ${manifest.audio.sample_rate} Hz`;
    throw new Error(`the webgl synthesiser renders at the bundle's rate only: ${both}; use wasm for another`);
  }
  requireWebGl2("the webgl synthesiser");
  const chain = describeChain(manifest);
  const outputs = await model.run(features);
  const voices = chain.harmonics.map((part) => {
    const { [part.amplitude]: given, [part.distribution]: distribution } = outputs;
    if (given === undefined || distribution === undefined) throw new Error(`the graph has no ${part.amplitude}`);
    const amplitude = withGain(given, features.gain);
    const settings = { hop: manifest.audio.hop, sampleRate, envelope: part.envelope };
    const signal = fusedHarmonics(amplitude, distribution, features.f0Hz, settings);
    tf.dispose([amplitude, distribution]);
    delete outputs[part.amplitude];
    delete outputs[part.distribution];
    return { gain: part.gain, signal };
  });
  // All that is read back is requested at once, so that the graphics card is waited for once.
  const [noise, ...harmonics] = await Promise.all([
    valuesOf(outputs),
    ...voices.map(async ({ gain, signal }) => ({ gain, values: (await valuesOf({ signal })).signal })),
  ]);
  const onlyNoise = { ...instrument, manifest: withoutHarmonics(manifest) };
  const dry = chain.noises.length
    ? await synthesise(onlyNoise, gather(manifest, features, noise), { ...options, synthesiser: "wasm" })
    : new Float32Array(features.f0Hz.length * manifest.audio.hop);
  for (const { gain, values } of harmonics) {
    for (let i = 0; i < dry.length; i++) dry[i] = (dry[i] as number) + gain * (values?.[i] ?? 0);
  }
  return finishClip(instrument, dry, { ...options, synthesiser: "wasm" });
}

/** Multiplies a column of amplitudes by the frames' gains and disposes the column. */
function withGain(amplitude: tf.Tensor2D, gain: Float32Array | undefined): tf.Tensor2D {
  if (!gain) return amplitude;
  const scaled = tf.tidy(() => tf.mul(amplitude, tf.tensor2d(gain, [gain.length, 1])) as tf.Tensor2D);
  amplitude.dispose();
  return scaled;
}

/** Reads tensors and disposes them. */
async function valuesOf(tensors: Record<string, tf.Tensor>): Promise<Record<string, Float32Array>> {
  const entries = Object.entries(tensors).map(async ([name, tensor]) => {
    const values = (await tensor.data()) as Float32Array;
    tensor.dispose();
    return [name, values] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Joins the network's outputs side by side, frame by frame; 0 where an output is not given. */
function gather(
  manifest: Manifest,
  { f0Hz, gain }: ClipFeatures,
  outputs: Readonly<Record<string, Float32Array>>,
): Controls {
  const frames = f0Hz.length;
  const width = controlsWidth(manifest);
  const values = new Float32Array(frames * width);
  let start = 0;
  for (const { name, channels } of manifest.network.outputs) {
    const own = outputs[name];
    for (let frame = 0; own !== undefined && frame < frames; frame++) {
      values.set(own.subarray(frame * channels, (frame + 1) * channels), frame * width + start);
    }
    start += channels;
  }
  return { frames, width, values, f0Hz, gain };
}

/** Copies a manifest with nothing but the noises of its chain. */
function withoutHarmonics(manifest: Manifest): Manifest {
  const { nodes } = manifest.synthesiser;
  const silent = new Set(nodes.filter((node) => node.type === "harmonic").map((node) => node.name));
  const left = nodes
    .filter((node) => !silent.has(node.name))
    .map((node) => ("inputs" in node ? { ...node, inputs: node.inputs.filter((name) => !silent.has(name)) } : node));
  return { ...manifest, synthesiser: { ...manifest.synthesiser, nodes: left } };
}

/** Deletes textures when they are disposed instead of keeping them for others of the same size. */
async function withoutTexturePool<T>(work: () => Promise<T>): Promise<T> {
  const flag = "WEBGL_DELETE_TEXTURE_THRESHOLD";
  const before = tf.env().getNumber(flag);
  tf.env().set(flag, 0);
  try {
    return await work();
  } finally {
    tf.env().set(flag, before);
  }
}
