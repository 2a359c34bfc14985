/** The signal chain of a manifest in the form that an engine runs: synthesisers whose sounds are added up. */

import type { Manifest, Processor } from "../bundle/manifest.ts";

/** A bank of harmonics; its controls by the names that they have in the network's outputs. */
export interface HarmonicPart {
  readonly harmonics: number;
  readonly envelope: "window" | "linear";
  readonly amplitude: string;
  readonly distribution: string;
  /** How often the chain adds it to the dry sound. */
  readonly gain: number;
}

/** Filtered noise. */
export interface NoisePart {
  readonly bands: number;
  readonly spacing: "linear" | "erb";
  readonly magnitudes: string;
  readonly gain: number;
}

export interface Chain {
  readonly harmonics: readonly HarmonicPart[];
  readonly noises: readonly NoisePart[];
}

/**
 * Resolves the signal chain of a manifest.
 *
 * @throws Error the chain has a reverb anywhere but at its end, an unknown part, or an input that does not stand above.
 */
export function describeChain({ synthesiser }: Manifest): Chain {
  const { nodes, dry, audio } = synthesiser;
  const last = nodes.find((node) => node.name === audio);
  if (!last) throw new Error(`synthesiser: has no node ${audio}`);
  if (audio !== dry && !(last.type.startsWith("reverb_") && "inputs" in last && last.inputs.join() === dry)) {
    throw new Error(`synthesiser: ${audio} is not the reverb of ${dry}`);
  }
  const gains = gainsOf(nodes, dry);
  const named = (type: string) => nodes.filter((node) => node.type === type).length > 1;
  const control = (node: Processor, own: string) => (named(node.type) ? `${node.name}_${own}` : own);
  const harmonics = nodes.flatMap((node) => {
    if (node.type !== "harmonic") return [];
    if (!["window", "linear"].includes(node.envelope)) throw new Error(`synthesiser: no envelope ${node.envelope}`);
    const controls = {
      amplitude: control(node, "amplitude"),
      distribution: control(node, "harmonic_distribution"),
    };
    const { harmonics: count, envelope } = node as Extract<Processor, { type: "harmonic" }>;
    return [{ harmonics: count, envelope, ...controls, gain: gains.get(node.name) ?? 0 }];
  });
  const noises = nodes.flatMap((node) => {
    if (node.type !== "filtered_noise") return [];
    const { bands, spacing = "linear" } = node as Extract<Processor, { type: "filtered_noise" }>;
    if (!["linear", "erb"].includes(spacing)) throw new Error(`synthesiser: no spacing ${spacing} of noise bands`);
    return [{ bands, spacing, magnitudes: control(node, "noise_magnitudes"), gain: gains.get(node.name) ?? 0 }];
  });
  return { harmonics, noises };
}

/** Counts how often each node is in the sum that a node makes, from that node to those above it. */
function gainsOf(nodes: readonly Processor[], dry: string): ReadonlyMap<string, number> {
  const indices = new Map(nodes.map((node, index) => [node.name, index]));
  if (indices.size < nodes.length) throw new Error("synthesiser: two nodes have one name");
  const gains = new Map<string, number>();
  const add = (name: string, below: number, gain: number) => {
    const index = indices.get(name) ?? nodes.length;
    if (index >= below) throw new Error(`synthesiser: no node ${name} above the one that needs it`);
    gains.set(name, (gains.get(name) ?? 0) + gain);
  };
  add(dry, nodes.length, 1);
  for (const [index, node] of [...nodes.entries()].reverse()) {
    const gain = gains.get(node.name);
    if (gain === undefined || node.type === "harmonic" || node.type === "filtered_noise") continue;
    if (node.type !== "mix" || !("inputs" in node)) throw new Error(`synthesiser: ${node.type} before the dry signal`);
    for (const input of node.inputs) add(input, index, gain);
  }
  return gains;
}
