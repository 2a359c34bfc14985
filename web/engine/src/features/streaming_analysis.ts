/** Analyses a stream of sound at any rate: pitch, confidence, loudness and RMS energy, frame by frame. */

import type { AudioFormat } from "../bundle/manifest.ts";
import { HighPass } from "../filters/high_pass.ts";
import { Resampler } from "../filters/resampler.ts";
import type { KernelExports } from "../wasm/kernels.ts";
import { LoudnessMeter } from "./loudness.ts";
import { LOOK_AHEAD, PITCH_REACH, PitchTracker, TRACKER_RATE } from "./pitch.ts";
import { SlidingWindow } from "./sliding_window.ts";

/** Greatest magnitude of a sample, 60 dB above full scale: what is louder, or no number, is no sound. */
export const LOUDEST = 1000;

/** Features of one frame. */
export interface AnalysedFrame {
  /** Hz; 0 where there is no pitch. */
  f0Hz: number;
  /** 0 to 1, from 0.5 where there is a pitch. */
  confidence: number;
  /** dB. */
  loudnessDb: number;
  /** Linear. */
  rms: number;
}

export class StreamingAnalysis {
  /** s of sound after a frame's middle that its features need, the resampling included. */
  readonly latency: number;
  /** s, parts of it. */
  readonly resampling: number;
  readonly lookAhead: number;
  readonly decision: number;
  /** The newest frame, valid while `onFrame` runs. */
  readonly frame: AnalysedFrame = { f0Hz: 0, confidence: 0, loudnessDb: 0, rms: 0 };
  readonly #audio: AudioFormat;
  readonly #onFrame: () => void;
  readonly #highPass: HighPass;
  #filtered = new Float32Array(128); // a context's own block
  readonly #toOwn: Resampler;
  readonly #own: SlidingWindow;
  /** Null where the bundle's rate is the tracker's. */
  readonly #toTracker: Resampler | null;
  readonly #tracked: SlidingWindow;
  readonly #loudness: LoudnessMeter;
  readonly #pitch: PitchTracker;
  readonly #kernels: KernelExports;
  /** Features of the last frames, until their pitch is decided. */
  readonly #loudnessDb: Float64Array;
  readonly #rms: Float64Array;
  /** Index of the next frame to measure. */
  #index = 0;

  /**
   * @param rate Hz, of the sound. @param longest most samples of one push.
   * @param onFrame called for each frame, as soon as its features are complete.
   */
  constructor(kernels: KernelExports, audio: AudioFormat, rate: number, longest: number, onFrame: () => void) {
    const { sample_rate: own, frame_rate: frameRate, loudness, rms } = audio;
    const reach = Math.max(loudness.fft_size, rms.frame_size);
    this.#kernels = kernels;
    this.#audio = audio;
    this.#onFrame = onFrame;
    this.#highPass = new HighPass(rate);
    this.#toOwn = new Resampler(kernels, rate, own, longest);
    this.#own = new SlidingWindow(kernels, reach + LOOK_AHEAD * (own / TRACKER_RATE), this.#toOwn.output.length);
    this.#toTracker = own === TRACKER_RATE ? null : new Resampler(kernels, rate, TRACKER_RATE, longest);
    this.#tracked = this.#toTracker
      ? new SlidingWindow(kernels, PITCH_REACH + LOOK_AHEAD, this.#toTracker.output.length)
      : new SlidingWindow(kernels, PITCH_REACH, this.#toOwn.output.length);
    this.#loudness = new LoudnessMeter(kernels, audio);
    this.#pitch = new PitchTracker(kernels, frameRate);
    this.#loudnessDb = new Float64Array(this.#pitch.decisionFrames + 1);
    this.#rms = new Float64Array(this.#pitch.decisionFrames + 1);
    this.resampling = Math.max(this.#toOwn.delay, this.#toTracker?.delay ?? 0) / rate;
    this.lookAhead = Math.max(LOOK_AHEAD / TRACKER_RATE, reach / 2 / own);
    this.decision = this.#pitch.decisionFrames / frameRate;
    this.latency = this.resampling + this.lookAhead + this.decision;
  }

  /** Takes samples; calls `onFrame` for every frame that they complete. */
  push(audio: Float32Array): void {
    if (this.#filtered.length !== audio.length) this.#filtered = new Float32Array(audio.length);
    const samples = this.#filtered;
    this.#highPass.process(audio, samples);
    const own = this.#toOwn.push(samples);
    this.#own.append(this.#toOwn.output.values, own);
    const resampler = this.#toTracker ?? this.#toOwn;
    this.#tracked.append(resampler.output.values, this.#toTracker ? this.#toTracker.push(samples) : own);
    while (this.#ready()) this.#measureFrame();
  }

  #ready(): boolean {
    const { hop, loudness, rms } = this.#audio;
    const reach = Math.max(loudness.fft_size, rms.frame_size) / 2;
    return this.#own.end >= this.#index * hop + reach && this.#tracked.end >= this.#pitchEnd();
  }

  /** Index at which the tracker's window of this frame ends, in samples at its rate. */
  #pitchEnd(): number {
    return Math.round((this.#index * TRACKER_RATE) / this.#audio.frame_rate) + LOOK_AHEAD;
  }

  #measureFrame(): void {
    const { hop, loudness, rms } = this.#audio;
    const middle = this.#index * hop;
    const rows = this.#rms.length;
    const row = this.#index % rows;
    const energy = this.#kernels.sumOfSquares(this.#own.address(middle - rms.frame_size / 2), rms.frame_size);
    this.#loudnessDb[row] = this.#loudness.measure(this.#own.address(middle - loudness.fft_size / 2));
    this.#rms[row] = Math.sqrt(energy / rms.frame_size);
    this.#pitch.step(this.#tracked.address(this.#pitchEnd()));
    this.#index++;
    if (this.#index < rows) return;
    const decided = this.#index % rows; // the oldest row
    this.frame.f0Hz = this.#pitch.f0Hz;
    this.frame.confidence = this.#pitch.confidence;
    this.frame.loudnessDb = this.#loudnessDb[decided] as number;
    this.frame.rms = this.#rms[decided] as number;
    this.#onFrame();
  }
}
