/** ddsp's own harmonic synthesiser as a reference: raw outputs scaled, sounded in float64. */

import type { HarmonicSettings } from "../../../engine/src/tfjs/fused_harmonics.ts";
import { golden } from "../shared.ts";
import type { Controls } from "./reference.ts";

export interface GoldenClip {
  readonly controls: Controls;
  readonly settings: HarmonicSettings;
  /** [frames * hop], by ddsp in float64. */
  readonly signal: readonly number[];
}

/** Clips of a golden file, one for each of its batch. */
export function goldenClips(name: string, envelope: "window" | "linear"): GoldenClip[] {
  const file = golden(name);
  const flat = (key: string) => (file[key] as unknown as number[][] | number[][][]).map((one) => one.flat());
  const [amplitudes, distributions, f0, signals] = [
    flat("amplitudes"),
    flat("harmonic_distribution"),
    flat("f0_hz"),
    flat("signal_float64"),
  ];
  return signals.map((signal, i) => {
    const f0Hz = Float32Array.from(f0[i] ?? []);
    return {
      controls: {
        f0Hz,
        amplitude: Float32Array.from(amplitudes[i] ?? []),
        distribution: Float32Array.from(distributions[i] ?? []),
      },
      settings: { hop: signal.length / f0Hz.length, sampleRate: 16000, envelope },
      signal,
    };
  });
}
