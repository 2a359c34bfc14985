/** Messages between the page and the worker that makes takes. */

import type { ClipFeatures, Features, Instrument } from "swara-engine";

/** An instrument without the parts that cannot be sent. */
export type SentInstrument = Omit<Instrument, "file" | "url">;

export interface AnalyseRequest {
  readonly kind: "analyse";
  readonly id: number;
  readonly instrument: SentInstrument;
  /** [samples] */
  readonly audio: Float32Array;
  /** Hz. */
  readonly sampleRate: number;
}

export interface PlayRequest {
  readonly kind: "play";
  readonly id: number;
  readonly instrument: SentInstrument;
  readonly features: ClipFeatures;
  /** Hz. */
  readonly sampleRate: number;
  /** How much of the instrument's reverb sounds: 0 to 1. */
  readonly room: number;
}

/** Cancels the request of that number. */
export interface Cancel {
  readonly kind: "cancel";
  readonly id: number;
}

export type Request = AnalyseRequest | PlayRequest;

export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly id: number; readonly share: number }
  | { readonly kind: "done"; readonly id: number; readonly result: Features | Float32Array }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
