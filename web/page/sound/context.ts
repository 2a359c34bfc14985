/** The page's one AudioContext, made when the player first asks for sound: browsers let none sound earlier. */

import recorderUrl from "./recorder-worklet.ts?worker&url";

let made: Promise<AudioContext> | null = null;

/** The context, running, with everything loaded that needs the network. */
export async function audioContext(): Promise<AudioContext> {
  made ??= make().catch((error) => {
    made = null;
    throw error;
  });
  const context = await made;
  await context.resume();
  return context;
}

async function make(): Promise<AudioContext> {
  const context = new AudioContext({ latencyHint: "interactive" });
  try {
    await context.audioWorklet.addModule(recorderUrl);
  } catch (cause) {
    await context.close();
    throw new Error("A part of this page cannot be fetched: load the page anew.", { cause });
  }
  return context;
}

/** A buffer of one channel. */
export function bufferOf(context: BaseAudioContext, audio: Float32Array<ArrayBuffer>, sampleRate: number): AudioBuffer {
  const buffer = context.createBuffer(1, Math.max(1, audio.length), sampleRate);
  buffer.copyToChannel(audio, 0);
  return buffer;
}
