/** A take: a voice that was recorded, opened or hummed by the page, and the same as the instrument. */

import { effect, signal } from "@preact/signals";
import { type AdjustedFeatures, adjust, type Features, type Instrument } from "swara-engine";
import { hear, play } from "../clip/client.ts";
import { gated, mixed } from "../sound/mixing.ts";
import { instrument } from "./instruments.ts";
import { report, status } from "./notices.ts";
import * as settings from "./settings.ts";
import { microphone } from "./studio.ts";

export interface Take {
  /** What it is called, also in the name of a downloaded file. */
  readonly title: string;
  readonly audio: Float32Array<ArrayBuffer>;
  /** Hz. */
  readonly sampleRate: number;
  /** Whether it is a voice that an instrument can follow, or was played on the instrument itself. */
  readonly kind: "voice" | "keys";
  /** Of keys: what they played. It stays so, whatever is chosen later. */
  readonly playedOn?: Instrument;
  /** What sounds under both voice and instrument, from the first sample on; repeated as long as needed. */
  readonly drone?: Float32Array;
}

export type Side = "before" | "after";

/** A take as it is heard. */
export interface Rendered {
  readonly take: Take;
  readonly instrument: Instrument;
  readonly choices: Choices;
  readonly before: Float32Array<ArrayBuffer>;
  readonly after: Float32Array<ArrayBuffer>;
  /** The one side that there is; null where there are both. */
  readonly only: Side | null;
  readonly sampleRate: number;
  /** What was heard in the voice and what the instrument was told to play; null for keys. */
  readonly heard: Features | null;
  readonly played: AdjustedFeatures | null;
  readonly frameRate: number;
  /** ms. */
  readonly listening: number;
  readonly playing: number;
}

export const take = signal<Take | null>(null);
export const rendered = signal<Rendered | null>(null);
/** 0 to 1 while a take is being turned into the instrument, else null. */
export const progress = signal<number | null>(null);

const RENDER_AFTER_MS = 250;

interface Heard {
  readonly take: Take;
  readonly instrument: Instrument;
  readonly features: Features;
  readonly milliseconds: number;
}

let heard: Heard | null = null;
let current: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Puts a take in the place of the last one. */
export function setTake(next: Take): void {
  rendered.value = null;
  take.value = next;
}

// Whatever the sound depends on makes it anew: the take, the instrument, a control. Not while somebody sings: then all
// of the machine is for the live sound.
effect(() => {
  const [next, chosen, options] = [take.value, instrument.value, choices()];
  clearTimeout(timer);
  current?.abort();
  if (!next || !chosen || microphone.value !== "off" || isMade(next, chosen, options)) return;
  if (next.kind === "keys") {
    if (rendered.peek()?.take !== next) rendered.value = asItIs(next, next.playedOn ?? chosen, options);
    return;
  }
  timer = setTimeout(() => void render(next, chosen, options), rendered.peek() ? RENDER_AFTER_MS : 0);
});

/** Whether just this was rendered last. */
function isMade(next: Take, chosen: Instrument, options: Choices): boolean {
  const last = rendered.peek();
  return last?.take === next && last.instrument === chosen && JSON.stringify(last.choices) === JSON.stringify(options);
}

/** What the player has set, as far as it shapes a take. */
export interface Choices {
  readonly octaves: number;
  readonly loudnessDb: number;
  readonly gateDb: number;
  readonly mix: number;
  readonly room: number;
  readonly autotune: number;
}

function choices(): Choices {
  return {
    octaves: settings.octaves.value,
    loudnessDb: settings.loudnessDb.value,
    gateDb: settings.gateDb.value,
    mix: settings.mix.value,
    room: settings.room.value,
    autotune: settings.autotune.value,
  };
}

/** A take that nothing is made of: what was played on the instrument, or a voice that it cannot follow. */
function asItIs(next: Take, chosen: Instrument, options: Choices): Rendered {
  const audio = mixed(next.audio, new Float32Array(0), 0, next.drone);
  const frameRate = chosen.manifest.audio.frame_rate;
  return {
    take: next,
    instrument: chosen,
    choices: options,
    before: audio,
    after: audio,
    only: next.kind === "keys" ? "after" : "before",
    sampleRate: next.sampleRate,
    heard: null,
    played: null,
    frameRate,
    listening: 0,
    playing: 0,
  };
}

async function render(next: Take, chosen: Instrument, options: Choices): Promise<void> {
  const abort = new AbortController();
  current = abort;
  progress.value = 0;
  try {
    const { features, milliseconds } = await listen(next, chosen);
    if (abort.signal.aborted) return;
    const { statistics, audio } = chosen.manifest;
    const moved = adjust(features, statistics, options);
    if (!moved.noteOn.includes(1))
      throw new Error(`No note was found in ${next.title}: is it silent, or has it no pitch?`);
    const played = gated(features, moved, options.gateDb, audio.frame_rate);
    const began = performance.now();
    const sound = await play(chosen, played, {
      sampleRate: next.sampleRate,
      room: options.room,
      signal: abort.signal,
      onProgress: (share) => {
        progress.value = share;
      },
    });
    if (abort.signal.aborted) return;
    rendered.value = {
      take: next,
      instrument: chosen,
      choices: options,
      before: mixed(next.audio, new Float32Array(0), 0, next.drone),
      after: mixed(next.audio, sound, options.mix, next.drone),
      only: null,
      sampleRate: next.sampleRate,
      heard: features,
      played,
      frameRate: audio.frame_rate,
      listening: milliseconds,
      playing: performance.now() - began,
    };
    status.value = `${next.title} is ready to be heard as the ${chosen.manifest.instrument.title}.`;
  } catch (error) {
    if (abort.signal.aborted) return;
    rendered.value = asItIs(next, chosen, options); // what was sung is not lost
    report(error);
  } finally {
    if (current === abort) progress.value = null;
  }
}

async function listen(next: Take, chosen: Instrument): Promise<Heard> {
  if (heard?.take === next && heard.instrument === chosen) return heard;
  const began = performance.now();
  const features = await hear(next.audio, next.sampleRate, chosen);
  heard = { take: next, instrument: chosen, features, milliseconds: performance.now() - began };
  return heard;
}
