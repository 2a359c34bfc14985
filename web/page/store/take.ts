/** A take: a voice that was recorded, opened or hummed by the page, and the same as the instrument. */

import { effect, signal } from "@preact/signals";
import { type AdjustedFeatures, adjust, type Features, type Instrument } from "swara-engine";
import { analyseTake, playTake } from "../clip/client.ts";
import { gated, mixed } from "../sound/mixing.ts";
import { instrument } from "./instruments.ts";
import { report, status } from "./notices.ts";
import * as settings from "./settings.ts";
import { microphone } from "./studio.ts";

export interface Take {
  /** Its name, also in that of a downloaded file. */
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

/** A take, rendered. */
export interface Rendered {
  readonly take: Take;
  readonly instrument: Instrument;
  readonly choices: Choices;
  readonly before: Float32Array<ArrayBuffer>;
  readonly after: Float32Array<ArrayBuffer>;
  /** The one side that there is; null where there are both. */
  readonly only: Side | null;
  readonly sampleRate: number;
  /** Features of the voice, and as the instrument plays them; null for keys. */
  readonly features: Features | null;
  readonly played: AdjustedFeatures | null;
  readonly frameRate: number;
  readonly analysisMs: number;
  readonly renderMs: number;
}

export const take = signal<Take | null>(null);
export const rendered = signal<Rendered | null>(null);
/** 0 to 1 while a take is being turned into the instrument, else null. */
export const progress = signal<number | null>(null);

const RENDER_AFTER_MS = 250;

interface Analysed {
  readonly take: Take;
  readonly instrument: Instrument;
  readonly features: Features;
  readonly milliseconds: number;
}

/** The last take's features, which another control leaves as they are. */
let analysed: Analysed | null = null;
let current: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Replaces the last take. */
export function setTake(next: Take): void {
  rendered.value = null;
  take.value = next;
}

// All that the sound depends on makes it anew: the take, the instrument, a control. Not while somebody sings: then all
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

/** Checks whether just this was rendered last. */
function isMade(next: Take, chosen: Instrument, options: Choices): boolean {
  const last = rendered.peek();
  return last?.take === next && last.instrument === chosen && JSON.stringify(last.choices) === JSON.stringify(options);
}

/** The player's settings, as far as they shape a take. */
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

/** Renders a take that nothing is made of: what was played on the instrument, or a voice that it cannot follow. */
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
    features: null,
    played: null,
    frameRate,
    analysisMs: 0,
    renderMs: 0,
  };
}

async function render(next: Take, chosen: Instrument, options: Choices): Promise<void> {
  const abort = new AbortController();
  current = abort;
  progress.value = 0;
  try {
    const { features, milliseconds } = await analysisOf(next, chosen);
    if (abort.signal.aborted) return;
    const { statistics, audio } = chosen.manifest;
    const moved = adjust(features, statistics, options);
    if (!moved.noteOn.includes(1))
      throw new Error(`No note was found in ${next.title}: is it silent, or has it no pitch?`);
    const played = gated(features, moved, options.gateDb, audio.frame_rate);
    const began = performance.now();
    const sound = await playTake(chosen, played, {
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
      features,
      played,
      frameRate: audio.frame_rate,
      analysisMs: milliseconds,
      renderMs: performance.now() - began,
    };
    status.value = `${next.title} is ready to be played as the ${chosen.manifest.instrument.title}.`;
  } catch (error) {
    if (abort.signal.aborted) return;
    rendered.value = asItIs(next, chosen, options); // what was sung is not lost
    report(error);
  } finally {
    if (current === abort) progress.value = null;
  }
}

async function analysisOf(next: Take, chosen: Instrument): Promise<Analysed> {
  if (analysed?.take === next && analysed.instrument === chosen) return analysed;
  const began = performance.now();
  const features = await analyseTake(next.audio, next.sampleRate, chosen);
  analysed = { take: next, instrument: chosen, features, milliseconds: performance.now() - began };
  return analysed;
}
