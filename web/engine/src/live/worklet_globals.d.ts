/** Globals of an AudioWorkletGlobalScope, which TypeScript's libraries do not declare. */

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

declare function registerProcessor(
  name: string,
  processor: new (options: AudioWorkletNodeOptions) => AudioWorkletProcessor,
): void;

/** Samples of the context before this block. */
declare const currentFrame: number;
/** Hz, of the context. */
declare const sampleRate: number;
