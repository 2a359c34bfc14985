/** Measures the live synthesiser by itself: seconds of sound that it makes in a second. */

import { loadInstrument } from "../../web/engine/src/bundle/load.ts";
import type { Manifest } from "../../web/engine/src/bundle/manifest.ts";
import { NoiseSource } from "../../web/engine/src/synthesis/noise_source.ts";
import { Synthesiser } from "../../web/engine/src/synthesis/synthesiser.ts";
import { Block, createKernels } from "../../web/engine/src/wasm/kernels.ts";

export const LIVE_RATE = 48000;
export const LIVE_HARMONICS = 100;
const SECONDS = 20;

/** Hz: low enough that all hundred harmonics lie below a Nyquist of 8 kHz. */
const LOW_HZ = 72;

/** Measures seconds of sound per second of one core, every harmonic audible, the bundle's noise bands besides. */
export async function timesRealTime(url: string): Promise<number> {
  const manifest = withHarmonics((await loadInstrument(url)).manifest, LIVE_HARMONICS);
  const kernels = await createKernels();
  const width = manifest.network.outputs.reduce((sum, output) => sum + output.channels, 0);
  const controls = new Block(kernels, 4 * Math.ceil(width / 4));
  controls.values.fill(0.01);
  const synthesiser = new Synthesiser(kernels, manifest, LIVE_RATE, controls, new NoiseSource(1));
  const frames = SECONDS * manifest.audio.frame_rate;
  for (let frame = 0; frame < frames / 10; frame++) synthesiser.push(LOW_HZ, 1); // until it is compiled
  let samples = 0;
  const begun = performance.now();
  for (let frame = 0; frame < frames; frame++) samples += synthesiser.push(LOW_HZ + Math.sin(frame / 40), 1);
  return samples / LIVE_RATE / ((performance.now() - begun) / 1000);
}

/** Copies a manifest with another number of harmonics. */
function withHarmonics(manifest: Manifest, harmonics: number): Manifest {
  const { synthesiser, network } = manifest;
  const nodes = synthesiser.nodes.map((node) => (node.type === "harmonic" ? { ...node, harmonics } : node));
  const outputs = network.outputs.map((output) =>
    output.name.endsWith("harmonic_distribution") ? { ...output, channels: harmonics } : output,
  );
  return { ...manifest, synthesiser: { ...synthesiser, nodes }, network: { ...network, outputs } };
}
