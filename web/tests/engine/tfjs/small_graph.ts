/** Graphs as the exporter writes them, small enough to check by hand, made in memory. */

import type { Instrument } from "../../../engine/src/bundle/load.ts";
import type { Graph, GraphTensor, Manifest } from "../../../engine/src/bundle/manifest.ts";

interface Node {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: object;
}

const FLOAT = { type: "DT_FLOAT" };
const INT = { type: "DT_INT32" };

const HARMONICS = 7;
const BANDS = 9;

/** Of the outputs: sigmoid(0.1 loudness + 0.01 f0) times these; the distribution is these, and sums to 1. */
export const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  amplitude: [0.5],
  harmonic_distribution: [64, 32, 16, 8, 4, 3, 1].map((share) => share / 128),
  noise_magnitudes: Array.from({ length: BANDS }, (_, k) => 0.01 * (k + 1)),
};

const DISTRIBUTION = "harmonic_distribution";

/** How often a graph with a loop halves what it gives. */
const ROUNDS = 3;

/** An instrument of hop 64 at 16 kHz; `file` gives its controls graph only. */
export function smallInstrument(isLoop: boolean): Instrument {
  const { model, weights } = isLoop ? withLoop() : plain();
  const files: Readonly<Record<string, Uint8Array>> = {
    "controls/model.json": new TextEncoder().encode(JSON.stringify(model)),
    "controls/weights.bin": weights,
  };
  const file = async (path: string) => {
    const bytes = files[path];
    if (bytes === undefined) throw new Error(`no file ${path}`);
    return bytes.slice().buffer as ArrayBuffer;
  };
  const taps = Float32Array.from({ length: 300 }, (_, i) => (i === 0 ? 0 : 0.2 * Math.sin(i) * Math.exp(-i / 60)));
  const url = new URL("memory:manifest.json");
  return { manifest: manifest(isLoop), url, file, impulseResponse: taps, tensors: new Map(), bytes: 0 };
}

/** Computes the controls by their definition. */
export function expectedControls(
  f0Hz: Float32Array,
  loudnessDb: Float32Array,
  isLoop: boolean,
): Record<string, number[]> {
  const scale = isLoop ? 2 ** -ROUNDS : 1;
  const levels = Array.from(f0Hz, (hz, t) => 1 / (1 + Math.exp(-(0.1 * (loudnessDb[t] ?? 0) + 0.01 * hz))));
  return Object.fromEntries(
    Object.entries(WEIGHTS).map(([name, weights]) => [
      name,
      levels.flatMap((value) => weights.map((weight) => weight * (name === DISTRIBUTION ? 1 : scale * value))),
    ]),
  );
}

function manifest(isLoop: boolean): Manifest {
  const tensor = (name: string, channels: number): GraphTensor => ({
    name,
    dtype: "float32",
    shape: [1, null, channels],
  });
  const controls: Graph = {
    model: "controls/model.json",
    weights: "controls/weights.bin",
    inputs: [tensor("f0_hz", 1), tensor("loudness_db", 1)],
    outputs: Object.entries(WEIGHTS).map(([name, weights]) => tensor(name, weights.length)),
    dynamic: isLoop,
  };
  const synthesiser = {
    sample_rate: 16000,
    hop: 64,
    latency: 64,
    nodes: [
      { name: "harmonic", type: "harmonic", harmonics: HARMONICS, envelope: "window" },
      { name: "noise", type: "filtered_noise", bands: BANDS },
      { name: "dry", type: "mix", inputs: ["harmonic", "noise"] },
    ],
    dry: "dry",
    audio: "dry",
  };
  const audio = { sample_rate: 16000, frame_rate: 250, hop: 64 };
  const network = { outputs: controls.outputs.map(({ name, shape }) => ({ name, channels: shape[2], bias: 0 })) };
  return { graphs: { controls, full: controls }, synthesiser, audio, network, reverb: null } as unknown as Manifest;
}

function plain() {
  return graph([...levelNodes(), ...outputNodes("level")], []);
}

/** The same, halved in a loop that TF.js must run with executeAsync. */
function withLoop() {
  const loop = node("loop", "StatelessWhile", ["zero", "level", "half"], {
    cond: { func: { name: "goes_on" } },
    body: { func: { name: "round" } },
    T: { list: { type: ["DT_INT32", "DT_FLOAT", "DT_FLOAT"] } },
  });
  const argument = (name: string, type: string) => ({ name, type });
  const state = [argument("i", "DT_INT32"), argument("x", "DT_FLOAT"), argument("h", "DT_FLOAT")];
  const functions = [
    {
      signature: { name: "goes_on", inputArg: state, outputArg: [argument("less", "DT_BOOL")] },
      nodeDef: [integer("rounds"), node("is_less", "Less", ["i", "rounds"], { T: INT })],
      ret: { less: "is_less:z:0" },
    },
    {
      signature: {
        name: "round",
        inputArg: state,
        outputArg: [argument("i_out", "DT_INT32"), argument("x_out", "DT_FLOAT"), argument("h_out", "DT_FLOAT")],
      },
      nodeDef: [
        integer("one"),
        node("i_next", "AddV2", ["i", "one"], { T: INT }),
        node("x_next", "Mul", ["x", "h"], { T: FLOAT }),
        node("h_next", "Identity", ["h"], { T: FLOAT }),
      ],
      ret: { i_out: "i_next:z:0", x_out: "x_next:z:0", h_out: "h_next:output:0" },
    },
  ];
  return graph([...levelNodes(), integer("zero"), loop, ...outputNodes("loop:1")], functions);
}

/** Nodes of the inputs and of the sigmoid, `level`, that the outputs are made of. */
function levelNodes(): Node[] {
  const shape = { shape: { dim: [{ size: "1" }, { size: "-1" }, { size: "1" }] } };
  return [
    ...["f0_hz", "loudness_db"].map((name) => node(name, "Placeholder", [], { dtype: FLOAT, shape })),
    ...["f0/w", "loudness/w", "half", ...Object.keys(WEIGHTS).map((name) => `${name}/w`)].map((name) =>
      node(name, "Const", [], { dtype: FLOAT }),
    ),
    node("f0_part", "Mul", ["f0_hz", "f0/w"], { T: FLOAT }),
    node("loudness_part", "Mul", ["loudness_db", "loudness/w"], { T: FLOAT }),
    node("sum", "AddV2", ["f0_part", "loudness_part"], { T: FLOAT }),
    node("level", "Sigmoid", ["sum"], { T: FLOAT }),
  ];
}

function outputNodes(level: string): Node[] {
  return [
    node("nothing", "Sub", [level, level], { T: FLOAT }),
    ...Object.keys(WEIGHTS).map((name) =>
      name === DISTRIBUTION
        ? node(name, "AddV2", ["nothing", `${name}/w`], { T: FLOAT })
        : node(name, "Mul", [level, `${name}/w`], { T: FLOAT }),
    ),
  ];
}

function graph(nodes: readonly Node[], functions: readonly object[]) {
  const floats = { "f0/w": [0.01], "loudness/w": [0.1], half: [0.5] };
  const named: Readonly<Record<string, readonly number[]>> = {
    ...floats,
    ...Object.fromEntries(Object.entries(WEIGHTS).map(([name, values]) => [`${name}/w`, values])),
  };
  const integers = { zero: 0, one: 1, rounds: ROUNDS };
  const info = (name: string) => ({ name, dtype: "DT_FLOAT" });
  const model = {
    format: "graph-model",
    signature: {
      inputs: Object.fromEntries(["f0_hz", "loudness_db"].map((name) => [name, info(name)])),
      outputs: Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, info(name)])),
    },
    modelTopology: { node: nodes, library: { function: functions }, versions: {} },
    weightsManifest: [
      {
        paths: ["weights.bin"],
        weights: [
          ...Object.entries(named).map(([name, values]) => ({ name, shape: [values.length], dtype: "float32" })),
          ...Object.keys(integers).map((name) => ({ name, shape: [], dtype: "int32" })),
        ],
      },
    ],
  };
  const first = Float32Array.from(Object.values(named).flat());
  const then = Int32Array.from(Object.values(integers));
  const weights = new Uint8Array(first.byteLength + then.byteLength);
  weights.set(new Uint8Array(first.buffer));
  weights.set(new Uint8Array(then.buffer), first.byteLength);
  return { model, weights };
}

function node(name: string, op: string, input: readonly string[], attr: object): Node {
  return { name, op, input, attr };
}

/** A whole number; its value is a weight, as TF.js finds those of functions by their names too. */
function integer(name: string): Node {
  return node(name, "Const", [], { dtype: INT });
}
