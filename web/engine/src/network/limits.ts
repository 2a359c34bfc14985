/**
 * Sizes that an instrument may have: those that the pipeline's configuration allows (`models/config.py`,
 * `models/network/config.py`). They are checked before anything of these sizes is fetched or made, so that a manifest
 * of absurd numbers takes no memory.
 */

import type { BundleFile, Manifest, Network, Processor, ReverbDescription } from "../bundle/manifest.ts";
import { type Schema, violation } from "../bundle/schema.ts";

/** Bytes of a file that an engine fetches. */
export const MOST_FILE_BYTES = 2 ** 28;

const MOST_NUMBERS = 2 ** 26; // of all weights, and of the frames that a network remembers
const MOST_NODES = 64;
const REVERB_SECONDS = 4;
const MOST_LATE_BANDS = 64;
const BYTES = { float32: 4, float16: 2, uint8: 1 } as const;

/** @throws Error a number of the manifest is not finite, named by its path. */
export function checkFinite(value: unknown, path = ""): void {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`${path.slice(1)} is not finite`);
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) checkFinite(inner, `${path}/${key}`);
}

const TEXT: Schema = { type: "string" };
const NUMBER: Schema = { type: "number" };

/** What an engine reads of a manifest, beyond the schema, which leaves the network and the synthesiser open. */
const PARTS: Schema = {
  type: "object",
  properties: {
    synthesiser: {
      type: "object",
      required: ["sample_rate", "hop", "latency", "nodes", "dry", "audio"],
      properties: {
        nodes: {
          type: "array",
          items: {
            type: "object",
            required: ["name", "type"],
            properties: { name: TEXT, type: TEXT, inputs: { type: "array", items: TEXT } },
          },
        },
      },
    },
    network: {
      type: "object",
      required: ["architecture", "frame_rate", "inputs", "outputs", "layer_norm_epsilon", "leaky_slope"],
      properties: {
        frame_rate: NUMBER,
        layer_norm_epsilon: NUMBER,
        leaky_slope: NUMBER,
        dilations: { type: "array" },
        inputs: {
          type: "array",
          items: { type: "object", required: ["name", "feature", "unit", "mean", "deviation"] },
        },
        outputs: {
          type: "array",
          items: { type: "object", required: ["name", "channels", "bias"], properties: { name: TEXT, bias: NUMBER } },
        },
      },
    },
  },
};

/** @throws Error the network or the synthesiser lacks a part. */
export function checkParts(manifest: Manifest): void {
  const fault = violation(manifest, PARTS);
  if (fault) throw new Error(fault);
}

/** @throws Error a size is absurd. */
export function checkSizes({ audio, synthesiser, network, reverb, files }: Manifest): void {
  whole("audio/frame_rate", audio.frame_rate, 25, 1000);
  whole("audio/loudness/fft_size", audio.loudness.fft_size, 8, 2 ** 14);
  whole("audio/rms/frame_size", audio.rms.frame_size, 1, 2 ** 14);
  whole("synthesiser/nodes: their number", synthesiser.nodes.length, 1, MOST_NODES);
  for (const node of synthesiser.nodes) checkNode(node);
  whole("network/inputs: their number", network.inputs.length, 1, 3);
  whole("network/outputs: their number", network.outputs.length, 1, 2 * MOST_NODES);
  for (const output of network.outputs) whole(`network/outputs: ${output.name}`, output.channels, 1, 1024);
  if (reverb) checkReverb(reverb, REVERB_SECONDS * audio.sample_rate, listed(files, reverb.file).bytes);
  checkNetwork(network);
}

/** @throws Error tensors are not those of the network, or do not lie within their files. */
export function checkTensors({ network, files }: Manifest, expected: ReadonlyMap<string, readonly number[]>): void {
  const seen = new Set<string>();
  for (const { name, shape, file, offset, dtype } of network.tensors) {
    const wanted = expected.get(name);
    if (!wanted || seen.has(name)) throw new Error(`network/tensors: ${name} is none of this network, or there twice`);
    if (String(shape) !== String(wanted)) throw new Error(`network/tensors: ${name} is [${shape}], not [${wanted}]`);
    const end = offset + wanted.reduce((product, size) => product * size, 1) * BYTES[dtype];
    const { bytes } = listed(files, file);
    if (end > bytes) throw new Error(`network/tensors: ${name} ends at byte ${end} of ${file}, which has ${bytes}`);
    seen.add(name);
  }
  const missing = [...expected.keys()].find((name) => !seen.has(name));
  if (missing) throw new Error(`network/tensors: ${missing} is [absent], not [${expected.get(missing)}]`);
}

function checkReverb(
  { taps, early_taps: early, trained_taps: trained, late }: ReverbDescription,
  most: number,
  bytes: number,
): void {
  whole("reverb/taps", taps, 1, most);
  if ((early === undefined) !== (late === undefined)) throw new Error("reverb: has one of early_taps and late alone");
  const stored = early ?? taps;
  if (bytes !== 2 * stored) throw new Error(`reverb: ${stored} taps are not the ${bytes} bytes of its file`);
  if (!late) return;
  whole("reverb/early_taps", early, 1, taps - 1);
  whole("reverb/trained_taps", trained, taps, most);
  const bands = late.levels.length;
  whole("reverb/late/levels: their number", bands, 1, MOST_LATE_BANDS);
  whole("reverb/late/decay_seconds: their number", late.decay_seconds.length, bands, bands);
  const stopped = late.decay_seconds.find((seconds) => seconds <= 0);
  if (stopped !== undefined) throw new Error(`reverb/late/decay_seconds: ${stopped} s is no decay time`);
}

function checkNode(node: Processor): void {
  if (node.type === "harmonic") whole(`synthesiser: harmonics of ${node.name}`, node.harmonics, 1, 200);
  else if (node.type === "filtered_noise") whole(`synthesiser: bands of ${node.name}`, node.bands, 3, 257);
  else if ("inputs" in node) whole(`synthesiser: inputs of ${node.name}`, node.inputs.length, 1, MOST_NODES);
}

function checkNetwork(network: Network): void {
  if (network.architecture === "cnn") {
    const { channels, kernel, dilations } = network;
    whole("network/channels", channels, 1, 512);
    whole("network/kernel", kernel, 1, 9);
    whole("network/dilations: their number", dilations?.length, 1, 32);
    for (const dilation of dilations) whole("network/dilations", dilation, 1, 2 ** 11);
    const remembered = dilations.reduce((sum, dilation) => sum + (kernel - 1) * dilation + 1, 0) * channels;
    atMost(
      "network: its weights and the frames that it remembers",
      remembered + dilations.length * kernel * channels ** 2,
    );
  } else if (network.architecture === "gru") {
    whole("network/units", network.units, 1, 1024);
    whole("network/stack_units", network.stack_units, 1, 1024);
    whole("network/stack_layers", network.stack_layers, 0, 5);
  }
}

function atMost(name: string, numbers: number): void {
  if (numbers > MOST_NUMBERS) throw new Error(`${name} are ${numbers} numbers, more than ${MOST_NUMBERS}`);
}

function whole(name: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new Error(`${name} must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`);
  }
}

function listed(files: readonly BundleFile[], path: string): BundleFile {
  const found = files.find((file) => file.path === path);
  if (!found) throw new Error(`${path} is not among the files`);
  return found;
}
