/** Records what is connected to it, sample by sample, with the time at which it began. */

import type { RecordedBlock } from "./recorder_worklet.ts";

export interface Recording {
  readonly audio: Float32Array<ArrayBuffer>;
  /** Hz. */
  readonly sampleRate: number;
  /** s of the context's clock at the first sample. */
  readonly start: number;
}

export class Recorder {
  /** Connect here what is to be recorded. */
  readonly input: AudioWorkletNode;
  #blocks: RecordedBlock[] = [];
  #finished: (() => void) | null = null;
  #stopping: Promise<Recording> | null = null;

  /** Needs `recorder_worklet.ts` to be loaded into the context. */
  constructor(context: AudioContext) {
    this.input = new AudioWorkletNode(context, "swara-recorder", {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.input.port.onmessage = ({ data }: MessageEvent<RecordedBlock>) => {
      this.#blocks.push(data);
      if (data.last) this.#finished?.();
    };
    // Its output is silence; connected, it is called even where nothing else takes its output.
    this.input.connect(context.destination);
  }

  start(): void {
    this.#blocks = [];
    this.input.port.postMessage(true);
  }

  /** Ends the recording; called twice, it gives the same. */
  stop(): Promise<Recording> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #stop(): Promise<Recording> {
    await new Promise<void>((done) => {
      this.#finished = done;
      this.input.port.postMessage(false);
    });
    const { sampleRate } = this.input.context;
    const audio = joined(this.#blocks.map((block) => block.audio));
    const start = (this.#blocks[0]?.frame ?? 0) / sampleRate;
    this.#blocks = [];
    return { audio, sampleRate, start };
  }
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Takes a recording from a time of the context's clock on: cut there, or with silence before it if it began later. */
export function from(recording: Recording, start: number): Float32Array<ArrayBuffer> {
  const skipped = Math.round((start - recording.start) * recording.sampleRate);
  if (skipped >= 0) return recording.audio.slice(skipped);
  const padded = new Float32Array(recording.audio.length - skipped);
  padded.set(recording.audio, -skipped);
  return padded;
}
