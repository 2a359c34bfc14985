/** The network in plain JavaScript and float64, clip by clip, as `models/saved_model/specification.py` describes it. */

import type { CnnNetwork, GruNetwork, Manifest } from "../bundle/manifest.ts";
import { framesHeld, networkInput } from "../network/inputs.ts";
import { type Tensors, tensor } from "../network/layers.ts";
import { type ClipFeatures, type Controls, checkFeatures, controlsWidth, normaliseHarmonics } from "./controls.ts";

/** Computes controls from features, without WebAssembly. */
export function controlsInJs(manifest: Manifest, tensors: Tensors, features: ClipFeatures): Controls {
  checkFeatures(features);
  const { network } = manifest;
  const { f0Hz, loudnessDb, rms, gain } = features;
  const frames = f0Hz.length;
  const width = controlsWidth(manifest);
  const step = network.architecture === "cnn" ? cnnSteps(network, tensors) : gruSteps(network, tensors);
  const hold = framesHeld(manifest);
  const values = new Float64Array(frames * width);
  for (let t = 0; t < frames; t += hold) {
    const frame = { f0Hz: f0Hz[t] as number, loudnessDb: loudnessDb[t] as number, rms: rms[t] as number };
    const outputs = step(Float64Array.from(network.inputs, (input) => networkInput(input, frame)));
    for (let u = t; u < Math.min(t + hold, frames); u++) values.set(outputs, u * width);
  }
  const biases = network.outputs.flatMap(({ channels, bias }) => new Array<number>(channels).fill(bias));
  for (let i = 0; i < values.length; i++) values[i] = expSigmoid((values[i] as number) + (biases[i % width] as number));
  const controls = { frames, width, values, f0Hz, gain };
  normaliseHarmonics(manifest, controls);
  return controls;
}

function expSigmoid(x: number): number {
  return 2 * sigmoid(x) ** Math.LN10 + 1e-7;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

type Step = (inputs: Float64Array) => Float64Array;

function cnnSteps({ dilations, kernel, layer_norm_epsilon, leaky_slope }: CnnNetwork, tensors: Tensors): Step {
  const histories: Float64Array[][] = dilations.map(() => []); // normalised frames, the newest first
  return (inputs) => {
    const x = dense(tensors, "decoder/input", inputs);
    for (const [i, dilation] of dilations.entries()) {
      const name = `decoder/layer_${i}`;
      const history = histories[i] as Float64Array[];
      history.unshift(norm(tensors, `${name}/norm`, x, layer_norm_epsilon));
      history.splice((kernel - 1) * dilation + 1);
      const sum = Float64Array.from(tensor(tensors, `${name}/conv/bias`));
      const weights = tensor(tensors, `${name}/conv/kernel`);
      for (let tap = 0; tap < kernel; tap++) {
        const delayed = history[(kernel - 1 - tap) * dilation];
        if (delayed) addProduct(sum, delayed, weights.subarray(tap * x.length * x.length));
      }
      for (let c = 0; c < x.length; c++) x[c] = (x[c] as number) + leaky(sum[c] as number, leaky_slope);
    }
    return dense(tensors, "decoder/output", x);
  };
}

function gruSteps(network: GruNetwork, tensors: Tensors): Step {
  const { units, stack_layers, layer_norm_epsilon, leaky_slope } = network;
  const stack = (name: string, inputs: Float64Array) => {
    let x = inputs;
    for (let layer = 0; layer < stack_layers; layer++) {
      const path = `decoder/${name}_stack/${layer}`;
      const scaled = norm(tensors, `${path}/norm`, dense(tensors, `${path}/dense`, x), layer_norm_epsilon);
      x = scaled.map((value) => leaky(value, leaky_slope));
    }
    return x;
  };
  const h = new Float64Array(units);
  return (inputs) => {
    const joined = network.inputs.flatMap(({ name }, i) => [...stack(name, inputs.subarray(i, i + 1))]);
    const a = dense(tensors, "decoder/gru", Float64Array.from(joined));
    const b = Float64Array.from(tensor(tensors, "decoder/gru/recurrent_bias"));
    addProduct(b, h, tensor(tensors, "decoder/gru/recurrent_kernel"));
    const at = (values: Float64Array, gate: number, i: number) => values[gate * units + i] as number;
    for (let i = 0; i < units; i++) {
      const z = sigmoid(at(a, 0, i) + at(b, 0, i));
      const r = sigmoid(at(a, 1, i) + at(b, 1, i));
      h[i] = z * (h[i] as number) + (1 - z) * Math.tanh(at(a, 2, i) + r * at(b, 2, i));
    }
    return dense(tensors, "decoder/output", stack("output", Float64Array.from([...joined, ...h])));
  };
}

function dense(tensors: Tensors, name: string, x: Float64Array): Float64Array {
  const y = Float64Array.from(tensor(tensors, `${name}/bias`));
  addProduct(y, x, tensor(tensors, `${name}/kernel`));
  return y;
}

/** y += x @ kernel. */
function addProduct(y: Float64Array, x: Float64Array, kernel: Float32Array): void {
  for (let row = 0; row < x.length; row++) {
    const value = x[row] as number;
    const start = row * y.length;
    for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) + value * (kernel[start + i] as number);
  }
}

function norm(tensors: Tensors, name: string, x: Float64Array, epsilon: number): Float64Array {
  const gamma = tensor(tensors, `${name}/gamma`);
  const beta = tensor(tensors, `${name}/beta`);
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const scale = 1 / Math.sqrt(variance + epsilon);
  return x.map((value, i) => (value - mean) * scale * (gamma[i] as number) + (beta[i] as number));
}

function leaky(x: number, slope: number): number {
  return x > 0 ? x : slope * x;
}
