/** The page's side of the worker that makes takes. */

import type { ClipFeatures, Features, Instrument } from "swara-engine";
import type { Answer, HearRequest, PlayRequest, Request, SentInstrument } from "./messages.ts";

interface Waiting {
  readonly done: (result: never) => void;
  readonly failed: (error: Error) => void;
  readonly onProgress: ((share: number) => void) | undefined;
}

/** What can be wanted of `play` besides. */
export interface PlayOptions {
  /** Hz, of the sound. */
  readonly sampleRate: number;
  /** How much of the instrument's reverb sounds: 0 to 1. */
  readonly room: number;
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | null = null;
let ready: Promise<void> | null = null;
let nowReady: (() => void) | undefined;
let requests = 0;

/** Starts the worker, so that it need not be fetched later. */
export async function prepareTakes(): Promise<void> {
  started();
  await ready;
}

/** Measures a take as the instrument's training would. */
export function hear(audio: Float32Array, sampleRate: number, instrument: Instrument): Promise<Features> {
  const request: HearRequest = { kind: "hear", id: ++requests, instrument: sendable(instrument), audio, sampleRate };
  return ask(request);
}

/** Plays features on an instrument. Rejects when it is aborted. */
export function play(
  instrument: Instrument,
  features: ClipFeatures,
  { sampleRate, room, signal, onProgress }: PlayOptions,
): Promise<Float32Array> {
  const id = ++requests;
  const request: PlayRequest = { kind: "play", id, instrument: sendable(instrument), features, sampleRate, room };
  signal.addEventListener("abort", () => started().postMessage({ kind: "cancel", id }));
  return ask(request, onProgress);
}

function ask<T>(request: Request, onProgress?: (share: number) => void): Promise<T> {
  return new Promise((done, failed) => {
    waiting.set(request.id, { done, failed, onProgress });
    started().postMessage(request);
  });
}

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => heed(data);
  worker.onerror = () => giveUp();
  ready = new Promise((done) => {
    nowReady = done;
  });
  return worker;
}

function heed(answer: Answer): void {
  if (answer.kind === "ready") {
    nowReady?.();
    return;
  }
  const asked = waiting.get(answer.id);
  if (answer.kind === "progress") {
    asked?.onProgress?.(answer.share);
    return;
  }
  waiting.delete(answer.id);
  if (answer.kind === "done") asked?.done(answer.result as never);
  else asked?.failed(new Error(answer.message));
}

/** A worker that does not start, or died, takes all that waits for it along; the next request starts another. */
function giveUp(): void {
  worker?.terminate();
  worker = null;
  nowReady?.(); // whoever only prepares is not held up
  const lost = new Error(
    "The part of this page that makes takes stopped. Try again with a shorter recording, or load the page anew.",
  );
  for (const asked of waiting.values()) asked.failed(lost);
  waiting.clear();
}

function sendable({ manifest, tensors, impulseResponse, bytes }: Instrument): SentInstrument {
  return { manifest, tensors, impulseResponse, bytes };
}
