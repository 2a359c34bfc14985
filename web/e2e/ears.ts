/** Ears and eyes of the tests: what goes into the microphone and to the loudspeaker, and every request and error. */

import { type BrowserContext, expect, type Page } from "@playwright/test";
import { midiOf } from "../page/sound/pitch.ts";
import { pitchOf } from "../tests/page/listening.ts";

/** Samples since `startListening`, at `rate` Hz, both counted on one clock. */
export interface Overheard {
  readonly rate: number;
  readonly microphone: Float32Array;
  readonly loudspeaker: Float32Array;
}

interface Ears {
  rate: number;
  on: boolean;
  microphone: number[][];
  loudspeaker: number[][];
}

/** Puts ears on everything that is connected to a loudspeaker or comes from a microphone. Before the page is opened. */
export async function attachEars(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const ears: Ears = { rate: 0, on: false, microphone: [], loudspeaker: [] };
    Object.assign(globalThis, { ears });
    const recorders = new Map<BaseAudioContext, ChannelMergerNode>();
    const connect = AudioNode.prototype.connect as (...to: unknown[]) => AudioNode | undefined;
    const recorderOf = (context: BaseAudioContext) => {
      const known = recorders.get(context);
      if (known) return known;
      const merger = context.createChannelMerger(2);
      recorders.set(context, merger);
      const tap = context.createScriptProcessor(4096, 2, 1);
      tap.onaudioprocess = ({ inputBuffer }) => {
        if (!ears.on) return;
        ears.rate = context.sampleRate;
        ears.microphone.push(Array.from(inputBuffer.getChannelData(0)));
        ears.loudspeaker.push(Array.from(inputBuffer.getChannelData(1)));
      };
      connect.call(merger, tap);
      connect.call(tap, context.destination); // silence, so that it is called
      return merger;
    };
    AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
      if (this.context instanceof AudioContext) {
        if (to[0] instanceof AudioDestinationNode) connect.call(this, recorderOf(this.context), 0, 1);
        if (this instanceof MediaStreamAudioSourceNode) connect.call(this, recorderOf(this.context), 0, 0);
      }
      return connect.apply(this, to) as AudioNode;
    } as typeof AudioNode.prototype.connect;
  });
}

declare const ears: Ears;

export async function startListening(page: Page): Promise<void> {
  await page.evaluate(() => {
    ears.microphone = [];
    ears.loudspeaker = [];
    ears.on = true;
  });
}

export async function stopListening(page: Page): Promise<Overheard> {
  const heard = await page.evaluate(() => {
    ears.on = false;
    return { rate: ears.rate, microphone: ears.microphone.flat(), loudspeaker: ears.loudspeaker.flat() };
  });
  return {
    rate: heard.rate,
    microphone: Float32Array.from(heard.microphone),
    loudspeaker: Float32Array.from(heard.loudspeaker),
  };
}

/** What the browser says of the ears themselves. */
const OF_THE_EARS = /ScriptProcessorNode is deprecated/;

/** What a page must not do, and what it asked for. */
export class Watch {
  readonly errors: string[] = [];
  readonly requests: string[] = [];

  constructor(page: Page, context: BrowserContext = page.context()) {
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      const counts = message.type() === "error" || message.type() === "warning";
      if (counts && !OF_THE_EARS.test(message.text())) this.errors.push(message.text());
    });
    context.on("request", (request) => this.requests.push(request.url()));
  }

  /** Every request since the page was opened went to its own origin, and nothing was complained about. */
  expectCalm(origin: string): void {
    expect(this.errors).toEqual([]);
    expect(this.requests.filter((url) => !url.startsWith(origin) && !url.startsWith("blob:"))).toEqual([]);
  }
}

const TRACK_RATE = 16_000; // Hz, plenty for a pitch, and quick
const WINDOW_SECONDS = 0.06;
const STEP_SECONDS = 0.02;

/** MIDI numbers, one every 20 ms; NaN where it is quiet or has no pitch. */
export function pitchTrack(sound: Float32Array, soundRate: number, quietest = 0.01): number[] {
  const step = Math.max(1, Math.floor(soundRate / TRACK_RATE));
  const audio = thinned(sound, step);
  const rate = soundRate / step;
  const window = Math.round(WINDOW_SECONDS * rate);
  const track: number[] = [];
  for (let at = 0; at + window <= audio.length; at += Math.round(STEP_SECONDS * rate)) {
    const part = audio.subarray(at, at + window);
    track.push(level(part) > quietest ? midiOf(pitchOf(part, rate)) : Number.NaN);
  }
  return track;
}

/** Every `step` samples averaged into one. */
function thinned(audio: Float32Array, step: number): Float32Array {
  return Float32Array.from({ length: Math.floor(audio.length / step) }, (_, index) => {
    let sum = 0;
    for (let at = index * step; at < (index + 1) * step; at++) sum += audio[at] ?? 0;
    return sum / step;
  });
}

/** Root mean square. */
export function level(audio: Float32Array): number {
  return Math.sqrt(audio.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, audio.length));
}

/** How one pitch follows another: the delay in s at which they agree best, and the median distance in cents there. */
export function following(leader: readonly number[], follower: readonly number[]) {
  const runs = Array.from({ length: 16 }, (_, lag) => {
    const cents: number[] = [];
    leader.forEach((midi, index) => {
      const answer = follower[index + lag];
      if (!Number.isFinite(midi) || answer === undefined || !Number.isFinite(answer)) return;
      const semitones = answer - midi;
      cents.push(100 * Math.abs(semitones - 12 * Math.round(semitones / 12)));
    });
    cents.sort((a, b) => a - b);
    return { seconds: lag * STEP_SECONDS, cents: cents[cents.length >> 1] ?? Number.NaN, frames: cents.length };
  });
  return runs.reduce((best, run) => (run.cents < best.cents ? run : best));
}
