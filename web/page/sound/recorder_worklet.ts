/** Runs on the audio thread: sends its input to the page, block by block, while it is switched on. */

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
      if (!data) this.#send(true); // even an empty block: `Recorder.stop` waits for the last one
      this.#on = data;
    };
  }

  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    if (!this.#on) return true;
    const input = inputs[0]?.[0];
    const length = input?.length ?? 128;
    if (this.#filled === 0) this.#frame = currentFrame;
    if (input) this.#block.set(input, this.#filled);
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
