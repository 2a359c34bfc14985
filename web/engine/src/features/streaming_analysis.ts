/** Analyses a stream of sound at any rate: pitch, confidence, loudness and RMS energy, frame by frame. */

import type { AudioFormat } from "../bundle/manifest.ts";
import { HighPass } from "../filters/high_pass.ts";
import { Resampler } from "../filters/resampler.ts";
import type { KernelExports } from "../wasm/kernels.ts";
import { LoudnessMeter } from "./loudness.ts";
import { PITCH_REACH, PitchTracker, TRACKER_RATE } from "./pitch.ts";
import { SlidingWindow } from "./sliding_window.ts";

/** Greatest magnitude of a sample, 60 dB above full scale: what is louder, or no number, is no sound. */
export const LOUDEST = 1000;

/** What a frame may know of the sound after it. All in s. */
export interface Reach {
  /** To where the pitch tracker's window reaches. */
  readonly pitch: number;
  /** To where the windows of loudness and RMS energy reach; at most half of them. */
  readonly level: number;
  /** In which the pitch of the frame is decided. */
  readonly decision: number;
}

/** Windows around a frame's middle, as training has them. */
export const WHOLE_REACH: Reach = { pitch: 0.02, level: Number.POSITIVE_INFINITY, decision: 0.008 };
/** Windows that mostly lie before a frame, so that it is known soon. */
export const LIVE_REACH: Reach = { pitch: 0.012, level: 0.012, decision: 0 };

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
  /** Samples after a frame's middle: of the tracker's window, of loudness, of RMS energy. */
  readonly #pitchAhead: number;
  readonly #loudnessAhead: number;
  readonly #rmsAhead: number;
  /** Features of the last frames, until their pitch is decided. */
  readonly #loudnessDb: Float64Array;
  readonly #rms: Float64Array;
  /** Index of the next frame to measure. */
  #index = 0;

  /**
   * @param rate Hz, of the sound. @param longest most samples of one push.
   * @param onFrame called for each frame, as soon as its features are complete.
   */
  constructor(
    kernels: KernelExports,
    audio: AudioFormat,
    rate: number,
    longest: number,
    onFrame: () => void,
    reach = WHOLE_REACH,
  ) {
    const { sample_rate: own, frame_rate: frameRate, loudness, rms } = audio;
    const kept = Math.max(loudness.fft_size, rms.frame_size);
    const level = 4 * Math.round((reach.level * own) / 4); // kernels take four samples at once
    this.#pitchAhead = Math.round(reach.pitch * TRACKER_RATE);
    this.#loudnessAhead = Math.min(level, loudness.fft_size / 2);
    this.#rmsAhead = Math.min(level, rms.frame_size / 2);
    this.#kernels = kernels;
    this.#audio = audio;
    this.#onFrame = onFrame;
    this.#highPass = new HighPass(rate);
    this.#toOwn = new Resampler(kernels, rate, own, longest);
    this.#own = new SlidingWindow(kernels, kept + Math.ceil(reach.pitch * own), this.#toOwn.output.length);
    this.#toTracker = own === TRACKER_RATE ? null : new Resampler(kernels, rate, TRACKER_RATE, longest);
    this.#tracked = this.#toTracker
      ? new SlidingWindow(kernels, PITCH_REACH + this.#pitchAhead, this.#toTracker.output.length)
      : new SlidingWindow(kernels, PITCH_REACH, this.#toOwn.output.length);
    this.#loudness = new LoudnessMeter(kernels, audio, this.#loudnessAhead);
    this.#pitch = new PitchTracker(kernels, frameRate, reach.decision);
    this.#loudnessDb = new Float64Array(this.#pitch.decisionFrames + 1);
    this.#rms = new Float64Array(this.#pitch.decisionFrames + 1);
    this.resampling = Math.max(this.#toOwn.delay, this.#toTracker?.delay ?? 0) / rate;
    this.lookAhead = Math.max(this.#pitchAhead / TRACKER_RATE, Math.max(this.#loudnessAhead, this.#rmsAhead) / own);
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
    const reach = Math.max(this.#loudnessAhead, this.#rmsAhead);
    return this.#own.end >= this.#index * this.#audio.hop + reach && this.#tracked.end >= this.#pitchEnd();
  }

  /** Index at which the tracker's window of this frame ends, in samples at its rate. */
  #pitchEnd(): number {
    return Math.round((this.#index * TRACKER_RATE) / this.#audio.frame_rate) + this.#pitchAhead;
  }

  #measureFrame(): void {
    const { hop, rms } = this.#audio;
    const middle = this.#index * hop;
    const rows = this.#rms.length;
    const row = this.#index % rows;
    const first = middle + this.#rmsAhead - rms.frame_size;
    const energy = this.#kernels.sumOfSquares(this.#own.address(first), rms.frame_size);
    this.#loudnessDb[row] = this.#loudness.measure(this.#own.address(middle - this.#loudness.before));
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
