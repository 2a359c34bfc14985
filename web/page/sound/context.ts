/** The page's one AudioContext, made at the player's first touch that needs sound: browsers let none sound earlier. */

import recorderUrl from "./recorder_worklet.ts?worker&url";

/** How long a browser may take to let the sound begin. */
const AWAKE_MS = 1_000;

let context: AudioContext | null = null;
let ready: Promise<AudioContext> | null = null;

/**
 * Opens the context, with everything loaded that needs the network. It sounds as soon as the browser lets it.
 *
 * Nothing here waits for that: in some browsers the touch of a finger allows no sound, only its lifting does, and until
 * then `resume` does not settle. So it is called anew at every occasion, and a caller that needs a clock awaits
 * `awake`.
 */
export function audioContext(): Promise<AudioContext> {
  ready ??= load(make()).catch((error) => {
    ready = null;
    throw error;
  });
  wake();
  return ready;
}

/** Lets the context sound, if there is one, where the browser allows it just now. */
export function wake(): void {
  if (context?.state !== "running") context?.resume().catch(() => undefined); // a closed one is replaced
}

/** Resolves when the context runs, or a moment later: some browsers wait for the player's next touch. */
export async function awake(): Promise<void> {
  if (!context || context.state === "running") return;
  await Promise.race([context.resume(), new Promise((done) => setTimeout(done, AWAKE_MS))]);
}

function make(): AudioContext {
  context = new AudioContext({ latencyHint: "interactive" });
  addEventListener("pointerup", wake, { capture: true });
  return context;
}

async function load(made: AudioContext): Promise<AudioContext> {
  try {
    await made.audioWorklet.addModule(recorderUrl);
  } catch (cause) {
    context = null;
    await made.close();
    throw new Error("A part of this page cannot be fetched: load the page anew.", { cause });
  }
  return made;
}

/**
 * Measures the delay between a context and the loudspeaker, s. `whole` is false where the device's part is not known.
 *
 * Firefox states the device's part too, but reading it can hang the page for good, inside the browser's own audio code: in
 * Firefox 153 with PulseAudio in 2 of 8 fresh starts, read as the sound began, and in 1 of 30, read a second later.
 */
export function outputDelay(context: AudioContext): { readonly seconds: number; readonly whole: boolean } {
  const whole = !/\bFirefox\//.test(navigator.userAgent) && context.outputLatency !== undefined;
  return { seconds: context.baseLatency + (whole ? context.outputLatency : 0), whole };
}

/** Makes a buffer of one channel. */
export function bufferOf(context: BaseAudioContext, audio: Float32Array<ArrayBuffer>, sampleRate: number): AudioBuffer {
  const buffer = context.createBuffer(1, Math.max(1, audio.length), sampleRate);
  buffer.copyToChannel(audio, 0);
  return buffer;
}
