/** Records a page's audio: what comes from the microphone, and what goes to the loudspeaker. */

import type { Page } from "@playwright/test";

/** Samples since `startRecording`, at `rate` Hz, both counted on one clock. */
export interface RecordedAudio {
  readonly rate: number;
  readonly microphone: Float32Array;
  readonly loudspeaker: Float32Array;
}

interface AudioTap {
  rate: number;
  on: boolean;
  microphone: number[][];
  loudspeaker: number[][];
}

/** A page in which functions can be run, in whichever browser and by whichever driver. */
export interface ScriptablePage {
  evaluate<T>(script: () => T | Promise<T>): Promise<T>;
}

/** Taps a page's audio from its beginning. Call it before the page is opened. */
export async function attachAudioTap(page: Page): Promise<void> {
  await page.addInitScript(tapAudio);
}

/** Taps everything that is from now on connected to a loudspeaker or comes from a microphone. It is run in the page. */
export function tapAudio(): void {
  const audioTap: AudioTap = { rate: 0, on: false, microphone: [], loudspeaker: [] };
  Object.assign(globalThis, { audioTap });
  const recorders = new Map<BaseAudioContext, ChannelMergerNode>();
  const connect = AudioNode.prototype.connect as (...to: unknown[]) => AudioNode | undefined;
  const recorderOf = (context: BaseAudioContext) => {
    const known = recorders.get(context);
    if (known) return known;
    const merger = context.createChannelMerger(2);
    recorders.set(context, merger);
    const tap = context.createScriptProcessor(4096, 2, 1);
    tap.onaudioprocess = ({ inputBuffer }) => {
      if (!audioTap.on) return;
      audioTap.rate = context.sampleRate;
      audioTap.microphone.push(Array.from(inputBuffer.getChannelData(0)));
      audioTap.loudspeaker.push(Array.from(inputBuffer.getChannelData(1)));
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
}

declare const audioTap: AudioTap;

export async function startRecording(page: ScriptablePage): Promise<void> {
  await page.evaluate(() => {
    audioTap.microphone = [];
    audioTap.loudspeaker = [];
    audioTap.on = true;
  });
}

export async function stopRecording(page: ScriptablePage): Promise<RecordedAudio> {
  const recorded = await page.evaluate(() => {
    audioTap.on = false;
    const base64 = (blocks: number[][]) => {
      const bytes = new Uint8Array(new Float32Array(blocks.flat()).buffer);
      let binary = "";
      for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(binary);
    };
    const { rate, microphone, loudspeaker } = audioTap;
    return { rate, microphone: base64(microphone), loudspeaker: base64(loudspeaker) };
  });
  return {
    rate: recorded.rate,
    microphone: samplesOf(recorded.microphone),
    loudspeaker: samplesOf(recorded.loudspeaker),
  };
}

/** Decodes samples, [samples], from the base64 of their 32-bit floats. */
function samplesOf(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);
}
