/** Singing along: count-in, drone or metronome, the voice against the score, and the take at the end. */

import { effect, signal } from "@preact/signals";
import { type FrameReport, VOICED_CONFIDENCE } from "swara-engine";
import { type Judgement, judge, type Sung } from "../song/judge.ts";
import { beatSeconds, countInBeats, duration, type Score, timeline } from "../song/score.ts";
import { SONGS } from "../song/songs.ts";
import { audioContext, bufferOf } from "../sound/context.ts";
import { end, type Sounding } from "../sound/ending.ts";
import { metronome } from "../sound/metronome.ts";
import { from } from "../sound/recorder.ts";
import { tanpura } from "../sound/tanpura.ts";
import type { TracePoint } from "../sound/trace.ts";
import { report, status } from "./notices.ts";
import { mode } from "./settings.ts";
import { audible, listeners, microphone, openStudio, startRecording, stopRecording, trace } from "./studio.ts";
import { setTake } from "./take.ts";

export type Accompaniment = "drone" | "metronome";

export const score = signal<Score>(SONGS[0]);
/** MIDI number of Sa: the singer's, not the song's. */
export const tonic = signal<number>(SONGS[0].tonic);
export const accompaniment = signal<Accompaniment>("drone");
/** Whether the instrument is audible while singing, or only afterwards. */
export const audibleWhileSinging = signal(false);
export const singing = signal(false);
export const judgement = signal<Judgement | null>(null);

const TAIL_SECONDS = 0.6;
const DRONE_GAIN = 0.35;
const DRONE_RATE = 24_000; // Hz, enough for its highest partial

interface Song {
  /** s of the context's clock at the first beat. */
  readonly start: number;
  readonly context: AudioContext;
  readonly sounds: readonly Sounding[];
  readonly sung: Sung[];
  readonly listener: (frames: FrameReport) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

let song: Song | null = null;
let ending = false;

/** Takes up a song, in its own key. */
export function chooseSong(next: Score): void {
  score.value = next;
  tonic.value = next.tonic;
  judgement.value = null;
}

/** Computes the seconds from the first beat, negative while counting in; null where no song is under way. */
export function songTime(): number | null {
  return song ? song.context.currentTime - song.start : null;
}

/** Lists what was sung since a time in seconds from the first beat, its times counted from there. */
export function* sungSince(seconds: number): Generator<TracePoint> {
  if (!song) return;
  for (const point of trace.since(song.start + seconds)) yield { ...point, time: point.time - song.start };
}

/** Begins the song: count-in first. */
export async function sing(): Promise<void> {
  if (singing.value) return;
  try {
    singing.value = true;
    judgement.value = null;
    audible.value = audibleWhileSinging.value;
    if (accompaniment.value === "drone") round(tonic.value); // before the count, which nothing must hold up
    await startRecording("voice");
    const { context } = await openStudio();
    song = begin(context);
    status.value = "The song begins after the count.";
  } catch (error) {
    await cease();
    report(error);
  }
}

function begin(context: AudioContext): Song {
  const [chosen, beat] = [score.value, beatSeconds(score.value)];
  const beats = countInBeats(chosen);
  const start = context.currentTime + 0.25 + beats * beat;
  const seconds = duration(chosen);
  const sounds = [clicks(context, chosen, start, accompaniment.value === "metronome" ? seconds : 0)];
  if (accompaniment.value === "drone") sounds.push(drone(context, tonic.value));
  const sung: Sung[] = [];
  const listener = () => collect(sung, start);
  listeners.add(listener);
  const timer = setTimeout(() => void finish(), 1000 * (start - context.currentTime + seconds + TAIL_SECONDS));
  return { start, context, sounds, sung, listener, timer };
}

/** Adds what was sung since the last report. */
function collect(sung: Sung[], start: number): void {
  const last = sung.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  for (const point of trace.since(start)) {
    const at = point.time - start;
    if (at > last) sung.push({ at, midi: point.confidence >= VOICED_CONFIDENCE ? point.voice : Number.NaN });
  }
}

function clicks(context: AudioContext, chosen: Score, start: number, seconds: number): Sounding {
  const beat = beatSeconds(chosen);
  const before = countInBeats(chosen);
  const beats = before + Math.ceil(seconds / beat);
  const audio = metronome(beats, beat, chosen.beats_per_bar, 0, context.sampleRate);
  const source = new AudioBufferSourceNode(context, { buffer: bufferOf(context, audio, context.sampleRate) });
  const out = new GainNode(context);
  source
    .connect(new GainNode(context, { gain: 0.5 }))
    .connect(out)
    .connect(context.destination);
  source.start(start - before * beat);
  return { sources: [source], out };
}

const rounds = new Map<number, Float32Array<ArrayBuffer>>();

/** Makes a round of the drone for a Sa; it takes a moment the first time. */
function round(sa: number): Float32Array<ArrayBuffer> {
  const made = rounds.get(sa) ?? tanpura(sa, DRONE_RATE);
  rounds.set(sa, made);
  return made;
}

/** Plays the tanpura, from now on and for ever. */
function drone(context: AudioContext, sa: number): Sounding {
  const buffer = bufferOf(context, round(sa), DRONE_RATE);
  const source = new AudioBufferSourceNode(context, { buffer, loop: true });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.linearRampToValueAtTime(DRONE_GAIN, context.currentTime + 0.3);
  const out = new GainNode(context);
  source.connect(gain).connect(out).connect(context.destination);
  source.start();
  return { sources: [source], out };
}

/** Ends the song where it is; what was sung becomes the take. */
export async function finish(): Promise<void> {
  const ended = song;
  if (!ended || ending) return;
  ending = true;
  try {
    const recorded = await stopRecording();
    const notes = timeline(score.value, tonic.value);
    judgement.value = judge(ended.sung, notes);
    const audio = from(recorded, ended.start);
    const { sampleRate } = recorded;
    if (audio.length < sampleRate) return;
    const under = accompaniment.value === "drone" ? { drone: quiet(tanpura(tonic.value, sampleRate)) } : {};
    setTake({ title: score.value.title, audio, sampleRate, kind: "voice", ...under });
  } catch (error) {
    report(error);
  } finally {
    await cease();
  }
}

function quiet(audio: Float32Array): Float32Array {
  return audio.map((sample) => DRONE_GAIN * sample);
}

async function cease(): Promise<void> {
  if (song) {
    clearTimeout(song.timer);
    listeners.delete(song.listener);
    for (const sound of song.sounds) end(sound);
  }
  song = null;
  ending = false;
  singing.value = false;
  audible.value = true;
}

// The microphone may be taken away in the middle of a song.
effect(() => {
  if (microphone.value === "off" && song && singing.peek()) void finish();
});

// The drone alone, for finding one's key.
export const droneOn = signal(false);
let sounding: Sounding | null = null;
effect(() => {
  const [on, sa] = [droneOn.value && !singing.value, tonic.value];
  if (sounding) end(sounding);
  sounding = null;
  if (on) startDrone(sa).catch(report);
});

// Elsewhere nothing would stop it.
effect(() => {
  if (mode.value !== "song") droneOn.value = false;
});

async function startDrone(sa: number): Promise<void> {
  const context = await audioContext();
  if (!droneOn.peek() || singing.peek() || sounding || sa !== tonic.peek()) return;
  sounding = drone(context, sa);
}
