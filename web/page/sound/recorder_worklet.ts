/** Runs on the audio thread: sends what comes in to the page, block by block, while it is told to. */

declare const currentFrame: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const BLOCK = 4096; // samples a message

/** A stretch of sound; `frame` counts samples on the context's clock. */
export interface RecordedBlock {
  readonly frame: number;
  readonly audio: Float32Array<ArrayBuffer>;
  readonly last: boolean;
}

class RecorderProcessor extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK);
  #filled = 0;
  #frame = 0;
  #on = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<boolean>) => {
      if (!data) this.#send(true); // asked for in vain it is empty: whoever asks waits for it
      this.#on = data;
    };
  }

  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    if (!this.#on) return true;
    const heard = inputs[0]?.[0];
    const length = heard?.length ?? 128;
    if (this.#filled === 0) this.#frame = currentFrame;
    if (heard) this.#block.set(heard, this.#filled);
    else this.#block.fill(0, this.#filled, this.#filled + length);
    this.#filled += length;
    if (this.#filled + length > BLOCK) this.#send(false);
    return true;
  }

  #send(last: boolean): void {
    const block: RecordedBlock = { frame: this.#frame, audio: this.#block.slice(0, this.#filled), last };
    this.port.postMessage(block, [block.audio.buffer]);
    this.#filled = 0;
  }
}

registerProcessor("swara-recorder", RecorderProcessor);
