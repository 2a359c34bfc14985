/**
 * The part of Web Audio that the engine uses, and all that it sees of a page: its sources are checked without
 * TypeScript's DOM library (see tsconfig.json beside this file).
 */

interface AudioParam {
  value: number;
  setTargetAtTime(target: number, startTime: number, timeConstant: number): AudioParam;
}

interface AudioNode extends EventTarget {
  readonly context: BaseAudioContext;
  connect(destination: AudioNode, output?: number, input?: number): AudioNode;
  disconnect(destination?: AudioNode): void;
}

interface GainNode extends AudioNode {
  readonly gain: AudioParam;
}

interface AnalyserNode extends AudioNode {
  fftSize: number;
  getFloatTimeDomainData(samples: Float32Array<ArrayBuffer>): void;
}

interface AudioBuffer {
  copyToChannel(source: Float32Array<ArrayBuffer>, channel: number): void;
}

interface BaseAudioContext {
  readonly audioWorklet: { addModule(url: string | URL): Promise<void> };
  /** s. */
  readonly currentTime: number;
  /** Hz. */
  readonly sampleRate: number;
  createAnalyser(): AnalyserNode;
  createBuffer(channels: number, length: number, sampleRate: number): AudioBuffer;
  createGain(): GainNode;
}

interface AudioWorkletNodeOptions {
  readonly numberOfInputs: number;
  readonly numberOfOutputs: number;
  readonly outputChannelCount: number[];
  readonly channelCount: number;
  readonly channelCountMode: "explicit";
  readonly processorOptions: object;
}

interface AudioWorkletNode extends AudioNode {
  readonly port: MessagePort;
  onprocessorerror: (() => void) | null;
}

declare const AudioWorkletNode: {
  new (context: BaseAudioContext, name: string, options: AudioWorkletNodeOptions): AudioWorkletNode;
};

interface ConvolverNode extends AudioNode {
  readonly buffer: AudioBuffer | null;
}

declare const ConvolverNode: {
  new (context: BaseAudioContext, options: { buffer: AudioBuffer; disableNormalization: boolean }): ConvolverNode;
};
