/** Messages between the page's side and the audio thread's side of a live instrument. */

import type { Manifest } from "../bundle/manifest.ts";
import type { Latency, LiveSettings } from "./types.ts";

/** The processor's name in its context. */
export const PROCESSOR = "swara-instrument";

/** Parts of an instrument on the audio thread. */
export interface Parts {
  readonly manifest: Manifest;
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** The processor's options: it compiles the kernels itself, since not every browser passes modules to worklets. */
export interface ProcessorOptions {
  readonly kernels: Uint8Array<ArrayBuffer>;
}

export type ToProcessor =
  | { readonly type: "instrument"; readonly order: number; readonly parts: Parts }
  | { readonly type: "set"; readonly settings: LiveSettings }
  | { readonly type: "noteOn"; readonly midi: number; readonly velocity: number }
  | { readonly type: "noteOff"; readonly midi: number }
  | { readonly type: "bend"; readonly semitones: number }
  | { readonly type: "allNotesOff" }
  | { readonly type: "close" };

export type FromProcessor =
  | { readonly type: "ready"; readonly order: number; readonly latency: Latency }
  | { readonly type: "failed"; readonly order: number; readonly message: string }
  | FramesMessage;

/** Some frames, oldest first; of each array the first `count` are new. */
export interface FramesMessage {
  readonly type: "frames";
  count: number;
  readonly voiceHz: Float32Array;
  readonly confidence: Float32Array;
  readonly voiceDb: Float32Array;
  readonly playedHz: Float32Array;
  readonly playedDb: Float32Array;
  /** s of the context's clock at which the last frame's sound entered. */
  time: number;
  octaveShift: number;
  voiceOctaves: number;
  load: number;
  /** Samples that were not there in time. */
  starved: number;
}
