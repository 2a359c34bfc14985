/** Sources of a voice besides the microphone: a file, or a hum that the page computes. */

import { effect, signal } from "@preact/signals";
import { HUM_RATE, hum } from "../sound/hum.ts";
import { instrument } from "./instruments.ts";
import { problem, report, status } from "./notices.ts";
import { singing } from "./singing.ts";
import { microphone, recording, startRecording, stopRecording } from "./studio.ts";
import { setTake } from "./take.ts";

const RATE = 48_000;
const LONGEST_SECONDS = 600;
const SHORTEST_SECONDS = 0.25;
const LOUDEST = 1000; // of a sample: 60 dB above full scale

/** Opens a sound file of any kind that the browser can decode. */
export async function openFile(file: File): Promise<void> {
  problem.value = ""; // that was about another file
  try {
    status.value = `Opening ${file.name}`;
    setTake({ title: withoutEnding(file.name), audio: await decode(file), sampleRate: RATE, kind: "voice" });
  } catch (error) {
    report(error);
  }
}

/** Takes the page's own hum. */
export function useSample(): void {
  problem.value = "";
  setTake({ title: "Hummed sample", audio: hum(), sampleRate: HUM_RATE, kind: "voice" });
}

let limit: ReturnType<typeof setTimeout> | undefined;

const MY_VOICE = { title: "My voice", kind: "voice" } as const;

function myPhrase() {
  const played = instrument.peek();
  return { title: "My phrase", kind: "keys", ...(played && { playedOn: played }) } as const;
}

/** Ends a recording and makes it the take. */
export async function finishRecording(kind: "voice" | "keys"): Promise<void> {
  clearTimeout(limit);
  try {
    const { audio, sampleRate } = await stopRecording();
    if (audio.length < SHORTEST_SECONDS * sampleRate) throw new Error("That was too short to make anything of.");
    setTake(kind === "voice" ? { ...MY_VOICE, audio, sampleRate } : { ...myPhrase(), audio, sampleRate });
  } catch (error) {
    report(error);
  }
}

/** A recording was requested, and its sound is still being opened. */
export const beginning = signal(false);

/** Begins a recording, unless there is one; forgotten, it ends by itself. */
export async function beginRecording(kind: "voice" | "keys"): Promise<void> {
  if (beginning.peek() || recording.peek()) return;
  beginning.value = true;
  problem.value = "";
  try {
    await startRecording(kind);
    clearTimeout(limit);
    limit = setTimeout(() => void finishRecording(kind), 1000 * LONGEST_SECONDS);
  } catch (error) {
    report(error);
  } finally {
    beginning.value = false;
  }
}

// The microphone may be taken away in the middle of a recording.
effect(() => {
  if (microphone.value === "off" && recording.peek() === "voice" && !singing.peek()) void finishRecording("voice");
});

async function decode(file: File): Promise<Float32Array<ArrayBuffer>> {
  const decoder = new OfflineAudioContext(1, 1, RATE);
  let sound: AudioBuffer;
  try {
    sound = await decoder.decodeAudioData(await file.arrayBuffer());
  } catch (cause) {
    const kinds = `try WAV, MP3, FLAC, Ogg or M4A, of at most ${LONGEST_SECONDS / 60} minutes`;
    throw new Error(`${file.name} is not a sound file that this browser can decode: ${kinds}.`, { cause });
  }
  if (sound.duration > LONGEST_SECONDS) {
    throw new Error(
      `${file.name} lasts ${Math.round(sound.duration / 60)} minutes; cut it to ${LONGEST_SECONDS / 60}.`,
    );
  }
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    sound.getChannelData(channel).forEach((sample, index) => {
      mono[index] = (mono[index] ?? 0) + sample / sound.numberOfChannels;
    });
  }
  check(file.name, mono);
  return mono;
}

/** Checks a sound. @throws Error nothing can be made of it. */
function check(name: string, audio: Float32Array): void {
  if (audio.length < SHORTEST_SECONDS * RATE) throw new Error(`${name} is too short to make anything of.`);
  const broken = audio.findIndex((sample) => !(Math.abs(sample) <= LOUDEST));
  if (broken < 0) return;
  const where = `at ${(broken / RATE).toFixed(1)} s`;
  throw new Error(`${name} holds samples that are no sound (NaN, infinite or far too loud) ${where}: export it again.`);
}

function withoutEnding(name: string): string {
  return name.replace(/\.[^.]+$/, "");
}
