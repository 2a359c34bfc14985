/** Whole clips: four seconds of features through a bundle, in one of the engine's ways. */

import type { Instrument } from "../../web/engine/src/bundle/load.ts";
import { loadInstrument } from "../../web/engine/src/bundle/load.ts";
import type { ClipFeatures } from "../../web/engine/src/clip/controls.ts";
import { renderClip } from "../../web/engine/src/clip/render.ts";
import { midiToHz } from "../../web/engine/src/features/pitch_scale.ts";
import { NoiseSource } from "../../web/engine/src/synthesis/noise_source.ts";
import { loadControls, loadFull, renderClipTfjs, type TfjsRenderOptions } from "../../web/engine/src/tfjs/index.ts";
import { snrDb } from "../../web/tests/engine/tfjs/reference.ts";

const CLIP_SECONDS = 4;

/** `engine`: no TF.js; `full`: the `full/` graph, dry; `tfjs`: controls on TF.js, then a synthesiser. */
export interface ClipPath {
  readonly kind: "engine" | "full" | "tfjs";
  /** Of `tfjs`. */
  readonly options?: TfjsRenderOptions;
}

/** Samples at the end in which only the engine lets the sound die away. */
const RELEASE_SECONDS = 0.01;

export interface ClipBench {
  /** One clip, to the last sample. */
  play(): Promise<Float32Array>;
  /** SNR, dB, of a clip against the engine's plain JavaScript, which computes in float64. */
  exactness(): Promise<number>;
  dispose(): void;
}

/** Loads a bundle for one way onto the current backend. */
export async function loadClipBench(url: string, path: ClipPath): Promise<ClipBench> {
  const instrument = await loadInstrument(url);
  const features = melody(instrument);
  const { play, dispose } = await player(instrument, features, path);
  const reverb = path.kind !== "full" && (path.options?.reverb ?? true);
  const exactness = async () => {
    const exact = await renderClip(instrument, features, { synthesiser: "js", reverb });
    const dry = Math.round((CLIP_SECONDS - RELEASE_SECONDS) * instrument.manifest.audio.sample_rate);
    return snrDb(exact.subarray(0, dry), (await play()).subarray(0, dry));
  };
  return { play, exactness, dispose };
}

async function player(
  instrument: Instrument,
  features: ClipFeatures,
  path: ClipPath,
): Promise<Pick<ClipBench, "play" | "dispose">> {
  if (path.kind === "engine") return { play: () => renderClip(instrument, features), dispose: () => {} };
  if (path.kind === "full") {
    const full = await loadFull(instrument);
    const noise = new Float32Array(CLIP_SECONDS * instrument.manifest.audio.sample_rate);
    new NoiseSource().fill(noise);
    return { play: () => full.render(features, noise), dispose: () => full.dispose() };
  }
  const controls = await loadControls(instrument);
  return { play: () => renderClipTfjs(controls, features, path.options), dispose: () => controls.dispose() };
}

/** Makes a phrase with vibrato and swells inside of the instrument's range. */
function melody({ manifest }: Instrument): ClipFeatures {
  const { pitch_note: pitch, loudness_note: loudness } = manifest.statistics;
  const frames = CLIP_SECONDS * manifest.audio.frame_rate;
  const at = (shape: (seconds: number) => number) =>
    Float32Array.from({ length: frames }, (_, t) => shape(t / manifest.audio.frame_rate));
  const loudnessDb = at((seconds) => loudness.mean + loudness.std * Math.sin(2 * Math.PI * 0.5 * seconds));
  return {
    f0Hz: at((seconds) => {
      const midi = pitch.mean + 5 * Math.sin(1.5 * seconds) + 0.3 * Math.sin(2 * Math.PI * 5.5 * seconds);
      return midiToHz(midi);
    }),
    loudnessDb,
    rms: loudnessDb.map((db) => 0.3 * 10 ** (db / 20)),
  };
}
