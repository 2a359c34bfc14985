/** The page's side of the worker that makes takes. */

import type { ClipFeatures, Features, Instrument } from "swara-engine";
import type { AnalyseRequest, Answer, PlayRequest, Request, SentInstrument } from "./messages.ts";

interface Pending {
  readonly done: (result: never) => void;
  readonly failed: (error: Error) => void;
  readonly onProgress: ((share: number) => void) | undefined;
}

/** Options of `play`. */
export interface PlayOptions {
  /** Hz, of the sound. */
  readonly sampleRate: number;
  /** How much of the instrument's reverb sounds: 0 to 1. */
  readonly room: number;
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

const pending = new Map<number, Pending>();
let worker: Worker | null = null;
let ready: Promise<void> | null = null;
let nowReady: (() => void) | undefined;
let requests = 0;

/** Starts the worker, so that it need not be fetched later. */
export async function prepareTakes(): Promise<void> {
  started();
  await ready;
}

/** Analyses a take as training analyses recordings. @param audio [samples]. @param sampleRate Hz. */
export function analyseTake(audio: Float32Array, sampleRate: number, instrument: Instrument): Promise<Features> {
  const id = ++requests;
  const request: AnalyseRequest = { kind: "analyse", id, instrument: sendable(instrument), audio, sampleRate };
  return send(request);
}

/** Plays features on an instrument: gives its samples, at `sampleRate`. Rejects when it is aborted. */
export function playTake(
  instrument: Instrument,
  features: ClipFeatures,
  { sampleRate, room, signal, onProgress }: PlayOptions,
): Promise<Float32Array> {
  const id = ++requests;
  const request: PlayRequest = { kind: "play", id, instrument: sendable(instrument), features, sampleRate, room };
  signal.addEventListener("abort", () => started().postMessage({ kind: "cancel", id }));
  return send(request, onProgress);
}

function send<T>(request: Request, onProgress?: (share: number) => void): Promise<T> {
  return new Promise((done, failed) => {
    pending.set(request.id, { done, failed, onProgress });
    started().postMessage(request);
  });
}

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => receive(data);
  worker.onerror = () => giveUp();
  ready = new Promise((done) => {
    nowReady = done;
  });
  return worker;
}

function receive(answer: Answer): void {
  if (answer.kind === "ready") {
    nowReady?.();
    return;
  }
  const request = pending.get(answer.id);
  if (answer.kind === "progress") {
    request?.onProgress?.(answer.share);
    return;
  }
  pending.delete(answer.id);
  if (answer.kind === "done") request?.done(answer.result as never);
  else request?.failed(new Error(answer.message));
}

/** Fails all pending requests of a worker that does not start, or died; the next request starts another. */
function giveUp(): void {
  worker?.terminate();
  worker = null;
  nowReady?.(); // `prepareTakes` is not held up
  const lost = new Error(
    "The part of this page that makes takes stopped. Try again with a shorter recording, or load the page anew.",
  );
  for (const request of pending.values()) request.failed(lost);
  pending.clear();
}

function sendable({ manifest, tensors, impulseResponse, bytes }: Instrument): SentInstrument {
  return { manifest, tensors, impulseResponse, bytes };
}
