/** Checks that this engine can play what a manifest describes, beyond what the schema requires. */

import { BundleError } from "../bundle/errors.ts";
import type { Manifest, Network } from "../bundle/manifest.ts";
import { type Chain, describeChain } from "../synthesis/chain.ts";
import { framesHeld } from "./inputs.ts";
import { checkFinite, checkParts, checkSizes, checkTensors } from "./limits.ts";

/** Shapes of a network's tensors by name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * Checks that this engine can play an instrument.
 *
 * @param name of the manifest, for messages.
 * @throws BundleError the network, its tensors or the signal chain are not what this engine supports.
 */
export function checkPlayable(manifest: Manifest, name: string): void {
  const refuse = (fault: string): never => {
    throw new BundleError(name, `${fault}; this engine cannot play it`);
  };
  try {
    checkFinite(manifest);
    checkParts(manifest);
    checkNetwork(manifest.network);
    checkSizes(manifest);
    checkRates(manifest);
    checkTensors(manifest, expectedShapes(manifest.network));
    checkControls(describeChain(manifest), manifest.network);
  } catch (cause) {
    refuse(cause instanceof Error ? cause.message : String(cause));
  }
}

function checkRates({ audio, synthesiser, network, reverb }: Manifest): void {
  const { sample_rate: rate, frame_rate: frames, hop } = audio;
  if (frames * hop !== rate) throw new Error(`audio: ${frames} frames of ${hop} samples are not ${rate} samples`);
  if (synthesiser.sample_rate !== rate || synthesiser.hop !== hop) throw new Error("synthesiser: has rates of its own");
  const held = framesHeld({ audio, network });
  if (!Number.isInteger(held) || held < 1 || held > 8)
    throw new Error("network: its frame rate is no whole share of the audio's, from 1 to 1/8");
  if (reverb && reverb.sample_rate !== rate) throw new Error("reverb: has a sample rate of its own");
  if (!hasFactors2And3(audio.loudness.fft_size) || audio.loudness.fft_size % 8) {
    throw new Error(`audio/loudness/fft_size: ${audio.loudness.fft_size} is not 2^a * 3^b`);
  }
}

function hasFactors2And3(size: number): boolean {
  let left = size;
  while (left % 2 === 0) left /= 2;
  while (left % 3 === 0) left /= 3;
  return left === 1;
}

function checkNetwork(network: Network): void {
  if (!["cnn", "gru"].includes(network.architecture)) {
    throw new Error(`network/architecture: ${JSON.stringify(network.architecture)} is neither cnn nor gru`);
  }
  const units: Record<string, string> = { f0_hz: "midi", loudness_db: "db", rms_energy: "amplitude" };
  for (const { name, feature, unit, mean, deviation } of network.inputs) {
    if (units[feature] !== unit) throw new Error(`network/inputs: ${name} is ${feature} in ${unit}`);
    if (!Number.isFinite(mean) || !(deviation > 0))
      throw new Error(`network/inputs: ${name} has no mean and deviation`);
  }
}

/** Lists the tensors that a network must have: see `models/saved_model/specification.py`. */
export function expectedShapes(network: Network): Shapes {
  const inputs = network.inputs.length;
  const outputs = network.outputs.reduce((sum, output) => sum + output.channels, 0);
  const shapes = new Map<string, readonly number[]>();
  const dense = (name: string, rows: number, columns: number) =>
    shapes.set(`${name}/kernel`, [rows, columns]).set(`${name}/bias`, [columns]);
  const norm = (name: string, width: number) => shapes.set(`${name}/gamma`, [width]).set(`${name}/beta`, [width]);
  if (network.architecture === "cnn") {
    const { channels, kernel, dilations } = network;
    dense("decoder/input", inputs, channels);
    for (const layer of dilations.keys()) {
      norm(`decoder/layer_${layer}/norm`, channels);
      shapes.set(`decoder/layer_${layer}/conv/kernel`, [kernel, 1, channels, channels]);
      shapes.set(`decoder/layer_${layer}/conv/bias`, [channels]);
    }
    dense("decoder/output", channels, outputs);
    return shapes;
  }
  const { units, stack_units: width, stack_layers: layers } = network;
  const stack = (name: string, rows: number) => {
    for (let layer = 0; layer < layers; layer++) {
      dense(`decoder/${name}_stack/${layer}/dense`, layer ? width : rows, width);
      norm(`decoder/${name}_stack/${layer}/norm`, width);
    }
  };
  for (const input of network.inputs) stack(input.name, 1);
  dense("decoder/gru", inputs * width, 3 * units);
  shapes.set("decoder/gru/recurrent_kernel", [units, 3 * units]).set("decoder/gru/recurrent_bias", [3 * units]);
  stack("output", inputs * width + units);
  dense("decoder/output", width, outputs);
  return shapes;
}

/** Checks that every control of the chain comes from the network, in its width. */
function checkControls(chain: Chain, network: Network): void {
  const widths = new Map(network.outputs.map((output) => [output.name, output.channels]));
  const wanted = [
    ...chain.harmonics.flatMap((part) => [[part.amplitude, 1] as const, [part.distribution, part.harmonics] as const]),
    ...chain.noises.map((part) => [part.magnitudes, part.bands] as const),
  ];
  for (const [name, width] of wanted) {
    if (widths.get(name) !== width)
      throw new Error(`network/outputs: ${name} is ${widths.get(name) ?? "absent"} wide, not ${width}`);
  }
}
