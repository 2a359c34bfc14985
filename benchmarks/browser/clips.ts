/** Whole clips: four seconds of features through a bundle, in one of the ways that the engine knows. */

import type { Instrument } from "../../web/engine/src/bundle/load.ts";
import { loadInstrument } from "../../web/engine/src/bundle/load.ts";
import type { ClipFeatures } from "../../web/engine/src/clip/controls.ts";
import { renderClip } from "../../web/engine/src/clip/render.ts";
import { loadControls, loadFull, renderClipTfjs, type TfjsRenderOptions } from "../../web/engine/src/tfjs/index.ts";

export const CLIP_SECONDS = 4;

/** `engine`: no TF.js; `full`: the `full/` graph of stock operations, dry; else controls on TF.js, and what sounds them. */
export interface ClipPath {
  readonly kind: "engine" | "full" | "tfjs";
  /** Of `tfjs`. */
  readonly options?: TfjsRenderOptions;
}

export class ClipBench {
  /** One clip, to the last sample. */
  readonly play: () => Promise<Float32Array>;
  readonly dispose: () => void;

  private constructor(play: () => Promise<Float32Array>, dispose: () => void) {
    this.play = play;
    this.dispose = dispose;
  }

  /** Loads a bundle for one way onto the current backend. */
  static async load(url: string, path: ClipPath): Promise<ClipBench> {
    const instrument = await loadInstrument(url);
    const features = melody(instrument);
    if (path.kind === "engine") return new ClipBench(() => renderClip(instrument, features), ignore);
    if (path.kind === "full") {
      const full = await loadFull(instrument);
      const noise = Float32Array.from({ length: CLIP_SECONDS * instrument.manifest.audio.sample_rate }, random(1));
      return new ClipBench(
        () => full.render(features, noise),
        () => full.dispose(),
      );
    }
    const controls = await loadControls(instrument);
    return new ClipBench(
      () => renderClipTfjs(controls, features, path.options),
      () => controls.dispose(),
    );
  }
}

/** A phrase with vibrato and swells inside of the instrument's range. */
function melody({ manifest }: Instrument): ClipFeatures {
  const { pitch_note: pitch, loudness_note: loudness } = manifest.statistics;
  const frames = CLIP_SECONDS * manifest.audio.frame_rate;
  const at = (shape: (seconds: number) => number) =>
    Float32Array.from({ length: frames }, (_, t) => shape(t / manifest.audio.frame_rate));
  const loudnessDb = at((seconds) => loudness.mean + loudness.std * Math.sin(2 * Math.PI * 0.5 * seconds));
  return {
    f0Hz: at((seconds) => {
      const midi = pitch.mean + 5 * Math.sin(1.5 * seconds) + 0.3 * Math.sin(2 * Math.PI * 5.5 * seconds);
      return 440 * 2 ** ((midi - 69) / 12);
    }),
    loudnessDb,
    rms: loudnessDb.map((db) => 0.3 * 10 ** (db / 20)),
  };
}

/** Uniform in [-1, 1), the same for the same seed (Lehmer 1949). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

function ignore(): void {}
