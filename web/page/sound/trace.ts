/** The last seconds of voice and instrument: a ring of frames that is written live and drawn from. */

import { FLOOR_DB, type FrameReport, SILENCE_DB } from "swara-engine";
import { midiOf } from "./pitch.ts";

/** One frame. Pitches in MIDI numbers, NaN where there is none. */
export interface TracePoint {
  /** s of the context's clock. */
  time: number;
  /** Pitch of the voice. */
  voice: number;
  confidence: number;
  /** dB */
  loudness: number;
  /** Pitch of the instrument. */
  played: number;
  /** dB */
  playedLoudness: number;
}

/** dB of loudness above which the instrument has a pitch to draw. */
const AUDIBLE_DB = -75;

export class Trace {
  readonly #points: TracePoint[];
  #written = 0;

  constructor(frames: number) {
    this.#points = Array.from({ length: frames }, () => ({
      time: Number.NEGATIVE_INFINITY,
      voice: Number.NaN,
      confidence: 0,
      loudness: FLOOR_DB,
      played: Number.NaN,
      playedLoudness: SILENCE_DB,
    }));
  }

  /** Adds the frames of a report; returns how many. */
  add(report: FrameReport, frameRate: number): number {
    const frames = report.played.f0Hz.length;
    for (let index = 0; index < frames; index++) {
      const point = this.#points[this.#written++ % this.#points.length] as TracePoint;
      const loudness = report.played.loudnessDb[index] ?? SILENCE_DB;
      point.time = report.time - (frames - 1 - index) / frameRate;
      point.voice = midiOf(report.voice.f0Hz[index] ?? 0);
      point.confidence = report.voice.confidence[index] ?? 0;
      point.loudness = report.voice.loudnessDb[index] ?? FLOOR_DB;
      point.played = loudness > AUDIBLE_DB ? midiOf(report.played.f0Hz[index] ?? 0) : Number.NaN;
      point.playedLoudness = loudness;
    }
    return frames;
  }

  get isEmpty(): boolean {
    return this.#written === 0;
  }

  /** Time of the newest frame. */
  get newest(): number {
    return this.#written > 0 ? (this.#points[(this.#written - 1) % this.#points.length]?.time ?? 0) : 0;
  }

  /** The frames from a time on, oldest first. */
  *since(time: number): Generator<TracePoint> {
    const oldest = Math.max(0, this.#written - this.#points.length);
    let first = this.#written;
    while (first > oldest && (this.#points[(first - 1) % this.#points.length] as TracePoint).time >= time) first--;
    for (let index = first; index < this.#written; index++) {
      yield this.#points[index % this.#points.length] as TracePoint;
    }
  }

  clear(): void {
    this.#written = 0;
  }
}
