/**
 * The live instrument between microphone or keys and the loudspeaker:
 *
 *     microphone -> live instrument -> guard -> limiter -> loudspeaker
 *          `-> recorder (of the voice)   `-> recorder (of the keys)
 */

import { effect, signal } from "@preact/signals";
import { createLiveInstrument, FLOOR_DB, type FrameReport, type Instrument, type LiveInstrument } from "swara-engine";
import { prepareTakes } from "../clip/client.ts";
import { audioContext, awake, wake } from "../sound/context.ts";
import { FeedbackGuard, type GuardState } from "../sound/feedback.ts";
import { decibels, rms, softLimit } from "../sound/levels.ts";
import { closeMicrophone, openMicrophone } from "../sound/microphone.ts";
import { Recorder, type Recording } from "../sound/recorder.ts";
import { Trace } from "../sound/trace.ts";
import { type Delay, roundTrip, statedDelay } from "./delay.ts";
import { instrument } from "./instruments.ts";
import { openNetwork, shutNetwork } from "./network.ts";
import { problem, report, status } from "./notices.ts";
import { beginVoice, rememberOctaves, startOctaves } from "./register.ts";
import * as settings from "./settings.ts";

const TRACE_SECONDS = 30;
const FADE_SECONDS = 0.03;
const NOTICE_AFTER_MS = 300;
const SILENT_MS = 2_000; // of nothing but zeros, after which a microphone that was just opened is named
/** When the delay of the output is read, and how often: while a device starts, browsers state 0 for it. */
const LATENCY_AFTER_MS = 1_000;

export const microphone = signal<"off" | "starting" | "on">("off");
/** Source of the recording under way: the voice, the keys, or none. */
export const recording = signal<"voice" | "keys" | null>(null);
/** Whether the instrument is audible while it follows the voice. */
export const audible = signal(true);
export const guardState = signal<GuardState>("open");
/** dB of the microphone and of what goes to the loudspeaker. */
export const inputDb = signal(FLOOR_DB);
export const outputDb = signal(FLOOR_DB);
/** Share of the audio thread's time, and octaves by which the voice is moved. */
export const load = signal(0);
export const octaveShift = signal(0);
/** Null before the first sound. */
export const latency = signal<Delay | null>(null);
/** The click that measures it is under way. */
export const measuring = signal(false);

/** Pitch and loudness of voice and instrument, lately. */
export const trace = new Trace(TRACE_SECONDS * 250);

/** Callbacks for every report of frames. */
export const listeners = new Set<(frames: FrameReport) => void>();

interface Studio {
  readonly context: AudioContext;
  readonly live: LiveInstrument;
  readonly guard: GainNode;
  readonly recorder: Recorder;
  readonly analyser: AnalyserNode;
  playing: Instrument;
}

interface OpenMicrophone {
  readonly stream: MediaStream;
  readonly source: MediaStreamAudioSourceNode;
  readonly reading: ReturnType<typeof setInterval>;
  readonly silence: ReturnType<typeof setTimeout>;
}

let studio: Studio | null = null;
let opening: Promise<Studio> | null = null;
let opened: OpenMicrophone | null = null;
/** The microphone's opening, while it lasts; another call meanwhile waits for the same. */
let starting: Promise<void> | null = null;
const feedback = new FeedbackGuard();

/** Opens the context and the live instrument, with all that they need. They sound once the browser lets them. */
export async function openStudio(): Promise<Studio> {
  const chosen = instrument.value;
  if (!chosen) throw new Error("No instrument is loaded yet: wait for it, or choose another one.");
  wake(); // at once: a moment later the browser may no longer count this as the player's doing
  if (studio) return studio;
  opening ??= build(chosen).finally(() => {
    opening = null;
  });
  studio = await opening;
  putIn(instrument.value); // another one may have been chosen meanwhile
  return studio;
}

async function build(chosen: Instrument): Promise<Studio> {
  const context = await audioContext();
  const live = await createLiveInstrument(context, chosen);
  const guard = context.createGain();
  const limiter = new WaveShaperNode(context, { curve: softLimit() });
  live.output.connect(guard).connect(limiter).connect(context.destination);
  const made: Studio = {
    context,
    live,
    guard,
    recorder: new Recorder(context),
    analyser: new AnalyserNode(context, { fftSize: 2048 }),
    playing: chosen,
  };
  live.onFrames = (frames) => receiveFrames(made, frames);
  live.onError = (error) => {
    report(new Error(`${error.message}: load the page anew.`, { cause: error }));
    void stopMicrophone();
  };
  context.onstatechange = () => {
    if (context.state === "running" || microphone.value !== "on") return;
    report(new Error("The sound stopped: the device went to sleep, or another program took it. Begin again."));
    void stopMicrophone();
  };
  effect(() => applySettings(live));
  effect(() => setGuard(made));
  return made;
}

// What was sung is no part of what the keys play, and what went wrong there is no part of what goes on here.
effect(() => {
  if (settings.mode.value) trace.clear();
  problem.value = "";
});

// Another instrument is put into the studio as soon as it is loaded.
effect(() => putIn(instrument.value));

function putIn(chosen: Instrument | null): void {
  if (!studio || !chosen || studio.playing === chosen) return;
  studio.playing = chosen;
  studio.live.replaceInstrument(chosen).catch((error) => {
    if (studio?.playing === chosen) report(error); // else a later choice has overtaken it
  });
}

/** Settings that keys mode has no control for, and which the voice's controls must not change there. */
const OF_KEYS = { source: "keys", octaves: 0, mix: 1 } as const;

function ofVoice() {
  return { source: "voice", octaves: settings.octaves.value, mix: settings.mix.value } as const;
}

function applySettings(live: LiveInstrument): void {
  live.set({
    ...(settings.mode.value === "keys" ? OF_KEYS : ofVoice()),
    startOctaves: startOctaves.value,
    loudnessDb: settings.loudnessDb.value,
    gateDb: settings.gateDb.value,
    room: settings.room.value,
    autotune: settings.autotune.value,
    glideSeconds: settings.glideSeconds.value,
    vibratoCents: settings.vibratoCents.value,
    vibratoHz: settings.vibratoHz.value,
    attackSeconds: settings.attackSeconds.value,
    releaseSeconds: settings.releaseSeconds.value,
  });
}

function setGuard({ context, guard }: Studio): void {
  guard.gain.setTargetAtTime(isAudible() ? 1 : 0, context.currentTime, FADE_SECONDS / 3);
}

/** Checks whether the loudspeaker gets anything. */
function isAudible(): boolean {
  return guardState.value === "open" && (audible.value || microphone.value !== "on");
}

const samples = new Float32Array(2048);

function receiveFrames(made: Studio, frames: FrameReport): void {
  trace.add(frames, made.playing.manifest.audio.frame_rate);
  made.analyser.getFloatTimeDomainData(samples);
  hasSounded ||= samples.some((sample) => sample !== 0);
  const microphoneDb = microphone.value === "on" ? decibels(rms(samples)) : FLOOR_DB;
  inputDb.value = microphoneDb;
  outputDb.value = isAudible() ? decibels(frames.output.rms) : FLOOR_DB;
  load.value = frames.load;
  octaveShift.value = frames.octaveShift;
  if (microphone.value === "on" && settings.mode.value !== "keys") rememberOctaves(made.playing, frames.voiceOctaves);
  watchFeedback(frames.time, microphoneDb, decibels(frames.output.rms));
  for (const listener of listeners) listener(frames);
}

function watchFeedback(time: number, microphoneDb: number, playedDb: number): void {
  const silent = microphone.value !== "on" || settings.headphones.value || !audible.value;
  if (silent) return;
  const before = guardState.value;
  guardState.value = feedback.update({ time, microphoneDb, playedDb });
  if (before !== "shut" && guardState.value === "shut")
    status.value = "The sound is off: the microphone picked up the loudspeaker.";
}

/** Lets the instrument sound again after the guard shut it. */
export function reopenGuard(): void {
  feedback.reopen();
  guardState.value = feedback.state;
}

/** Opens the microphone. From here to `stopMicrophone` the page makes no request. */
export async function startMicrophone(): Promise<void> {
  if (microphone.value === "on") return;
  starting ??= connectMicrophone().finally(() => {
    starting = null;
  });
  await starting;
}

async function connectMicrophone(): Promise<void> {
  microphone.value = "starting";
  problem.value = "";
  try {
    const made = await openStudio();
    const { context, live, recorder, analyser } = made;
    await prepareTakes();
    await quietNetwork();
    const stream = await openMicrophone();
    if (microphone.value !== "starting") {
      closeMicrophone(stream); // the sound broke down while the browser prompted the player
      throw new Error("The microphone is off again: the sound stopped meanwhile. Load the page anew.");
    }
    await awake();
    beginVoice(made.playing);
    const source = context.createMediaStreamSource(stream);
    source.connect(live.input);
    source.connect(recorder.input);
    source.connect(analyser);
    hasSounded = false;
    const reading = setInterval(() => readLatency(stream), LATENCY_AFTER_MS);
    opened = { stream, source, reading, silence: setTimeout(() => nameSilence(stream), SILENT_MS) };
    const [track] = stream.getTracks();
    track?.addEventListener("ended", () => void stopMicrophone());
    track?.addEventListener("mute", () => nameSilence(stream));
    trace.clear();
    microphone.value = "on";
    status.value = "The microphone is on.";
  } catch (error) {
    await stopMicrophone();
    throw error;
  }
}

/** Shuts the network, and shows why the microphone is not on yet where that takes a while. */
async function quietNetwork(): Promise<void> {
  const notice = setTimeout(() => {
    status.value = "The microphone opens as soon as everything is fetched.";
  }, NOTICE_AFTER_MS);
  try {
    await shutNetwork();
  } finally {
    clearTimeout(notice);
  }
}

/** Lets the microphone go and opens the network again. */
export async function stopMicrophone(): Promise<void> {
  if (opened) {
    clearInterval(opened.reading);
    clearTimeout(opened.silence);
    opened.source.disconnect();
    closeMicrophone(opened.stream);
    opened = null;
    status.value = "The microphone is off.";
  }
  microphone.value = "off";
  inputDb.value = FLOOR_DB;
  reopenGuard();
  openNetwork();
}

/** Records the voice, or what the keys play. */
export async function startRecording(what: "voice" | "keys"): Promise<void> {
  if (what === "voice") await startMicrophone();
  const { recorder, live } = await openStudio();
  if (what === "keys") live.output.connect(recorder.input);
  recorder.start();
  recording.value = what;
}

/** Ends a recording; the microphone, if it was on, goes off. */
export async function stopRecording(): Promise<Recording> {
  if (!studio) throw new Error("Nothing is being recorded.");
  const { recorder, live } = studio; // as it is: the sound may have been interrupted
  const recorded = await recorder.stop();
  if (recording.value === "keys") live.output.disconnect(recorder.input);
  recording.value = null;
  await stopMicrophone();
  return recorded;
}

function readLatency(stream: MediaStream): void {
  if (!studio || latency.peek()?.whole) return; // what was measured is better
  latency.value = statedDelay(studio.live.latency.total, studio.context, stream);
}

/** Measures the whole delay by a click through loudspeaker and microphone, with the instrument silent meanwhile. */
export async function measureDelay(): Promise<void> {
  if (!studio || !opened || measuring.peek() || recording.peek()) return;
  const { context, recorder, live } = studio;
  const before = audible.peek();
  measuring.value = true;
  audible.value = false;
  try {
    latency.value = { method: live.latency.total, device: await roundTrip(context, recorder), whole: true };
  } catch (error) {
    report(error);
  } finally {
    audible.value = before;
    measuring.value = false;
  }
}

/** Whether the microphone has given anything but zeros since it was opened. */
let hasSounded = false;

/** Shows which microphone gives nothing. */
function nameSilence(stream: MediaStream): void {
  const [track] = stream.getAudioTracks();
  if (opened?.stream !== stream || !track || (hasSounded && !track.muted)) return;
  const name = track.label ? ` (${track.label})` : "";
  status.value = `The microphone${name} gives nothing at all: is it muted, or is another one meant?`;
}
