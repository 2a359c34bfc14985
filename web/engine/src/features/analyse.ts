/** Features of a whole recording. */

import type { Instrument } from "../bundle/load.ts";
import { ThreadPause } from "../thread_pause.ts";
import { createKernels } from "../wasm/kernels.ts";
import { VOICED_CONFIDENCE } from "./pitch_scale.ts";
import { LOUDEST, StreamingAnalysis } from "./streaming_analysis.ts";
import type { Features } from "./types.ts";

const BLOCK = 4096;
const FALLBACK_HZ = 440; // where no frame of a recording has a pitch

/**
 * Analyses a recording as training analysed its own: pitch, confidence, loudness and RMS energy at the instrument's
 * frame rate.
 *
 * @param audio mono, -1 to 1. @param sampleRate Hz, whole.
 * @throws RangeError it is shorter than a frame, or a sample is no number, or 60 dB above full scale.
 */
export async function analyse(audio: Float32Array, sampleRate: number, instrument: Instrument): Promise<Features> {
  const format = instrument.manifest.audio;
  const frames = Math.floor((audio.length * format.frame_rate) / sampleRate);
  if (frames < 1) throw new RangeError(`${audio.length} samples at ${sampleRate} Hz are shorter than a frame`);
  const broken = audio.findIndex((sample) => !(Math.abs(sample) <= LOUDEST));
  if (broken >= 0) throw new RangeError(`sample ${broken} of the audio is ${audio[broken]}`);
  const names = ["f0Hz", "confidence", "loudnessDb", "rms"] as const;
  const made = names.map((name) => [name, new Float32Array(frames)] as const);
  const features = Object.fromEntries(made) as unknown as Record<(typeof names)[number], Float32Array>;
  let frame = 0;
  const analysis: StreamingAnalysis = new StreamingAnalysis(await createKernels(), format, sampleRate, BLOCK, () => {
    for (const [name, values] of made) if (frame < frames) values[frame] = analysis.frame[name];
    frame++;
  });
  const pause = new ThreadPause();
  for (let start = 0; start < audio.length; start += BLOCK) {
    analysis.push(audio.subarray(start, start + BLOCK));
    if (pause.due) await pause.take();
  }
  const silence = new Float32Array(BLOCK);
  while (frame < frames) analysis.push(silence);
  bridgeGaps(features.f0Hz, features.confidence);
  return features;
}

/** Fills frames without pitch, between their voiced neighbours' (in octaves), or with the nearest at an end. */
export function bridgeGaps(f0Hz: Float32Array, confidence: Float32Array): void {
  let before = -1;
  for (let t = 0; t <= f0Hz.length; t++) {
    if (t < f0Hz.length && (confidence[t] as number) < VOICED_CONFIDENCE) continue;
    const left = Math.log2((f0Hz[before] ?? f0Hz[t]) || FALLBACK_HZ);
    const right = Math.log2((f0Hz[t] ?? f0Hz[before]) || FALLBACK_HZ);
    for (let i = before + 1; i < t; i++) f0Hz[i] = 2 ** (left + ((right - left) * (i - before)) / (t - before));
    before = t;
  }
}
