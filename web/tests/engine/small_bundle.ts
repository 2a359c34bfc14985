/** Small instruments with random weights, as the pipeline would publish them. */

import { createHash } from "node:crypto";
import { type Instrument, loadInstrument } from "../../engine/src/bundle/load.ts";
import type { Manifest, Processor } from "../../engine/src/bundle/manifest.ts";
import { expectedShapes } from "../../engine/src/network/check_playable.ts";
import { describeChain } from "../../engine/src/synthesis/chain.ts";
import { random } from "./signals.ts";

export interface Recipe {
  readonly architecture?: "cnn" | "gru";
  readonly inputs?: readonly ("loudness" | "rms")[];
  readonly dtype?: "float32" | "float16" | "uint8";
  readonly sampleRate?: number;
  readonly frameRate?: number;
  readonly harmonics?: number;
  readonly bands?: number;
  readonly spacing?: "linear" | "erb";
  readonly envelope?: "window" | "linear";
  /** Of the network's layers. */
  readonly width?: number;
  /** Frames for which the network's controls are held. */
  readonly hold?: number;
  /** Of the reverb; 0 for none. */
  readonly taps?: number;
  readonly processors?: readonly Processor[];
}

export type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

export interface SmallBundle {
  readonly manifest: Manifest;
  /** Path -> bytes, the manifest's own among them. */
  readonly files: Files;
}

const INPUTS = {
  f0: { name: "f0_scaled", feature: "f0_hz", unit: "midi", mean: 66, deviation: 7 },
  loudness: { name: "loudness_scaled", feature: "loudness_db", unit: "db", mean: -32, deviation: 9 },
  rms: { name: "rms_scaled", feature: "rms_energy", unit: "amplitude", mean: -28, deviation: 8 },
} as const;

const SPREAD = { mean: 0, max: 0, min: 0, mean_max: 0, mean_min: 0, std: 1 };

/** A bundle's files in memory. */
export function smallBundle(recipe: Recipe = {}): SmallBundle {
  const sampleRate = recipe.sampleRate ?? 16000;
  const frameRate = recipe.frameRate ?? 250;
  const nodes = recipe.processors ?? defaultNodes(recipe);
  const reverbTaps = recipe.taps ?? 400;
  const synthesiser = {
    sample_rate: sampleRate,
    hop: sampleRate / frameRate,
    latency: sampleRate / frameRate,
    nodes,
    dry: reverbTaps && !recipe.processors ? "dry" : (nodes.at(-1)?.name ?? ""),
    audio: nodes.at(-1)?.name ?? "",
  };
  const partial = { synthesiser } as unknown as Manifest;
  const network = { ...describe(recipe, partial, frameRate), tensors: [] as object[] };
  const weights = pack(network, recipe.dtype ?? "float32");
  network.tensors = weights.tensors;
  const reverb = Uint16Array.from(random(reverbTaps, 5), (x, i) => half(i ? 0.05 * x * Math.exp(-i / 100) : 0));
  const files = new Map<string, Uint8Array<ArrayBuffer>>([
    ["controls/model.json", text("{}")],
    ["controls/weights.bin", weights.bytes],
    ["full/model.json", text("{}")],
    ["full/weights.bin", new Uint8Array(0)],
  ]);
  if (reverbTaps) files.set("reverb.bin", new Uint8Array(reverb.buffer));
  const manifest = {
    format: "swara-bundle",
    format_version: 1,
    instrument: { name: "small", title: "Small", description: "", licence: "CC0-1.0", credits: [] },
    audio: {
      sample_rate: sampleRate,
      frame_rate: frameRate,
      hop: sampleRate / frameRate,
      loudness: {
        fft_size: (sampleRate * 32) / 1000,
        window: "hann",
        weighting: "A",
        padding: "center",
        floor_db: -80,
      },
      rms: { frame_size: (sampleRate * 32) / 1000 },
    },
    model: {},
    graphs: { controls: graph("controls"), full: graph("full") },
    files: [...files].map(([path, bytes]) => ({ path, bytes: bytes.length, gzip_bytes: 0, sha256: sha256(bytes) })),
    precision: recipe.dtype === "uint8" ? "uint8" : "float16",
    statistics: {
      pitch: { ...SPREAD, mean: 72, max: 84, min: 60 },
      loudness: { ...SPREAD, mean: -35 },
      pitch_note: { ...SPREAD, mean: 72, max: 84, min: 60 },
      loudness_note: { ...SPREAD, mean: -30 },
      power: { ...SPREAD, mean: -30 },
      power_note: { ...SPREAD, mean: -26 },
      loudness_quantiles: Array.from({ length: 101 }, (_, i) => -50 + 0.35 * i),
    },
    synthesiser,
    reverb: reverbTaps
      ? {
          file: "reverb.bin",
          taps: reverbTaps,
          sample_rate: sampleRate,
          dtype: "float16",
          normalise: false,
          add_dry: true,
        }
      : null,
    network,
    data: { fingerprint: "0".repeat(64), recordings: 1, seconds: 60, train_windows: 1, eval_windows: 0 },
    training: {},
    optimisation: {},
    configuration: {},
    configuration_hash: "0".repeat(64),
    source_revision: "0",
    created: "2025-01-01T00:00:00Z",
  } as unknown as Manifest;
  return { manifest, files: new Map([...files, ["manifest.json", text(JSON.stringify(manifest))]]) };
}

/** The name of a version that holds a bundle. */
export function versionOf({ files }: SmallBundle): string {
  return `20250101T000000Z-${sha256(files.get("manifest.json") as Uint8Array).slice(0, 8)}`;
}

/** A `fetch` that serves files under http://bundle/. */
export function serveFiles(files: Files): typeof fetch {
  return async (input, init) => {
    init?.signal?.throwIfAborted();
    const bytes = files.get(new URL(String(input)).pathname.slice(1));
    return bytes ? new Response(bytes) : new Response("", { status: 404 });
  };
}

/** The instrument of a recipe. */
export async function smallInstrument(recipe: Recipe = {}): Promise<Instrument> {
  const { files } = smallBundle(recipe);
  return loadInstrument("http://bundle/manifest.json", { fetch: serveFiles(files) });
}

export function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function defaultNodes({ harmonics = 20, bands = 65, spacing, envelope = "window", taps = 400 }: Recipe): Processor[] {
  return [
    { name: "harmonic", type: "harmonic", harmonics, envelope },
    { name: "noise", type: "filtered_noise", bands, ...(spacing && { spacing }) },
    { name: "dry", type: "mix", inputs: ["harmonic", "noise"] },
    ...(taps ? [{ name: "reverb", type: "reverb_free" as const, inputs: ["dry"] }] : []),
  ];
}

function describe(recipe: Recipe, partial: Manifest, frameRate: number) {
  const { harmonics, noises } = describeChain(partial);
  const width = recipe.width ?? 10;
  const sizes =
    recipe.architecture === "gru"
      ? { architecture: "gru", units: width, stack_units: width - 1, stack_layers: 2 }
      : { architecture: "cnn", channels: width, kernel: 3, dilations: [1, 2, 4] };
  return {
    ...sizes,
    frame_rate: frameRate / (recipe.hold ?? 1),
    inputs: [INPUTS.f0, ...(recipe.inputs ?? ["loudness"]).map((name) => INPUTS[name])],
    outputs: [
      ...harmonics.flatMap((part) => [
        { name: part.amplitude, channels: 1, bias: 0 },
        { name: part.distribution, channels: part.harmonics, bias: 0 },
      ]),
      ...noises.map((part) => ({ name: part.magnitudes, channels: part.bands, bias: -5 })),
    ],
    layer_norm_epsilon: 1e-3,
    leaky_slope: 0.2,
  };
}

function pack(network: object, dtype: "float32" | "float16" | "uint8") {
  const tensors: object[] = [];
  const bytes: number[] = [];
  for (const [name, shape] of expectedShapes(network as Manifest["network"])) {
    const role = name.split("/").at(-1) ?? "";
    const rows = shape.length > 1 ? shape.slice(0, -1).reduce((a, b) => a * b, 1) : 4;
    const length = shape.reduce((a, b) => a * b, 1);
    const scale = role === "gamma" ? 0.2 : 1.5 / Math.sqrt(rows);
    const values = Array.from(random(length, tensors.length + 11), (x) => x * scale + (role === "gamma" ? 1 : 0));
    const stored = dtype === "uint8" && role !== "kernel" && role !== "recurrent_kernel" ? "float16" : dtype;
    const affine = stored === "uint8" ? { scale: (2 * scale) / 255, min: -scale } : {};
    tensors.push({ name, shape, role, file: "controls/weights.bin", offset: bytes.length, dtype: stored, ...affine });
    if (stored === "float32") bytes.push(...new Uint8Array(Float32Array.from(values).buffer));
    else if (stored === "float16") bytes.push(...new Uint8Array(Uint16Array.from(values, half).buffer));
    else bytes.push(...values.map((x) => Math.round(((x + scale) / (2 * scale)) * 255)));
  }
  return { tensors, bytes: Uint8Array.from(bytes) };
}

/** IEEE half precision of a number, rounded to nearest; what is under 2^-14 becomes 0. */
function half(value: number): number {
  const size = Math.abs(value);
  if (size < 2 ** -14) return value < 0 ? 0x8000 : 0;
  let exponent = Math.floor(Math.log2(size));
  let fraction = Math.round((size / 2 ** exponent - 1) * 1024);
  if (fraction === 1024) [exponent, fraction] = [exponent + 1, 0];
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

function graph(name: string) {
  const tensor = { name: "f0_hz", dtype: "float32", shape: [1, null, 1] };
  return {
    model: `${name}/model.json`,
    weights: `${name}/weights.bin`,
    inputs: [tensor],
    outputs: [tensor],
    dynamic: false,
  };
}
