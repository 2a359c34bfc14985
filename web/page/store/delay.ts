/** The delay of singing: from the microphone to the loudspeaker, as far as it is known. */

import { bufferOf, outputDelay } from "../sound/context.ts";
import type { Recorder } from "../sound/recorder.ts";

/** All in s. */
export interface Delay {
  /** What the instrument's own method takes. */
  readonly method: number;
  /** What context and devices take. */
  readonly device: number;
  /** Whether that is all of it; else it takes at least so long. */
  readonly whole: boolean;
}

const CLICK_HZ = 2_000;
const CLICK_SECONDS = 0.01;
const CLICK_LEVEL = 0.5;
const BEFORE_SECONDS = 0.3; // of the room's own sound
const AFTER_SECONDS = 1; // in which the click must come back
const CLEARLY = 8; // times as loud as what was before

/** Computes the delay from what the browser states now: it states no whole one, since no driver's queue is in it. */
export function statedDelay(method: number, context: AudioContext, stream: MediaStream): Delay {
  const settings = stream.getAudioTracks()[0]?.getSettings() as { readonly latency?: number } | undefined;
  return { method, device: outputDelay(context).seconds + (settings?.latency ?? 0), whole: false };
}

/**
 * Measures what context and devices take, s: plays a click and waits for it in the microphone, which `recorder` must be
 * getting.
 *
 * @throws Error the click does not come back; the message states what to do.
 */
export async function roundTrip(context: AudioContext, recorder: Recorder): Promise<number> {
  const click = new AudioBufferSourceNode(context, {
    buffer: bufferOf(context, clickAt(context.sampleRate), context.sampleRate),
  });
  recorder.start();
  const at = context.currentTime + BEFORE_SECONDS;
  click.connect(context.destination);
  click.start(at);
  await new Promise((done) => setTimeout(done, 1000 * (BEFORE_SECONDS + AFTER_SECONDS)));
  const { audio, sampleRate, start } = await recorder.stop();
  const late = findClick(audio, Math.round((at - start) * sampleRate));
  if (late === null) {
    throw new Error(
      "The click was not picked up: take off the headphones, turn the loudspeaker up, and measure again.",
    );
  }
  return late / sampleRate;
}

/** Finds by how many samples a click comes after the sample at which it was played; null where it does not. */
export function findClick(audio: Float32Array, played: number): number | null {
  const loudest = (part: Float32Array) => part.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const after = audio.subarray(Math.max(0, played));
  const peak = loudest(after);
  if (peak === 0 || peak < CLEARLY * loudest(audio.subarray(0, Math.max(0, played)))) return null;
  return after.findIndex((sample) => Math.abs(sample) >= peak / 2);
}

/** Makes a click; [samples]. */
export function clickAt(rate: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: Math.round(CLICK_SECONDS * rate) },
    (_, i) =>
      CLICK_LEVEL * Math.sin((2 * Math.PI * CLICK_HZ * (i + 0.5)) / rate) * Math.exp((-5 * i) / (CLICK_SECONDS * rate)),
  );
}
