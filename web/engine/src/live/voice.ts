/**
 * Plays what a voice sings: the causal form of `adjust`. Where that takes statistics of a whole recording, this takes
 * them of the voice so far, with weights that fade with time.
 */

import type { Statistics } from "../bundle/manifest.ts";
import { rmsOfLoudness, shiftOctaves } from "../features/adjust.ts";
import { FLOOR_DB } from "../features/floor.ts";
import { Gate } from "../features/gate.ts";
import { CONFIDENCE_THRESHOLD } from "../features/notes.ts";
import { hzToMidi, midiToHz } from "../features/pitch_scale.ts";
import { loudnessQuantiles } from "../features/quantiles.ts";
import type { AnalysedFrame } from "../features/streaming_analysis.ts";
import { nearestSemitone } from "../features/tuning.ts";
import { LoudnessMatch } from "./loudness_match.ts";
import { OctaveChoice } from "./octave_choice.ts";
import { type PlayedFrame, remainder } from "./played_frame.ts";
import type { LiveSettings } from "./types.ts";

const QUIET_DB = 20; // by which what is surely no note is turned down
const TYPICAL_DB = 45; // above the floor, before the voice begins
const TYPICAL_SECONDS = 10;
const SURE_SECONDS = [0.01, 0.08] as const; // in which a note counts as begun, and as ended
const UNPITCHED_SECONDS = 0.04; // in which the harmonics die away where a sound has no pitch
const LEAP_SEMITONES = 7; // from one frame to the next: more than a voice slides

export class Voice {
  readonly frame: PlayedFrame;
  readonly octaveChoice: OctaveChoice;
  readonly #loudness: LoudnessMatch;
  readonly #gate: Gate;
  readonly #statistics: Statistics;
  readonly #frameRate: number;
  #pitchHz: number;
  /** How far the harmonics are open: at once where there is a pitch, so that before it is known there is breath. */
  #pitched = 0;
  #sure = 0;
  /** Running mean of loudness above the floor, while the gate is open. */
  #typical = TYPICAL_DB;

  constructor(statistics: Statistics, frameRate: number) {
    this.#statistics = statistics;
    this.#frameRate = frameRate;
    this.#pitchHz = midiToHz(statistics.pitch.mean);
    this.#gate = new Gate(frameRate);
    this.octaveChoice = new OctaveChoice(statistics, frameRate);
    this.#loudness = new LoudnessMatch(loudnessQuantiles(statistics), frameRate);
    this.frame = { f0Hz: this.#pitchHz, loudnessDb: FLOOR_DB, rms: 0, gain: 0, pitchedGain: 0 };
  }

  /** Takes an analysed frame of the voice and leaves what to play in `frame`. */
  next(voice: AnalysedFrame, settings: LiveSettings): void {
    this.#gate.move(voice.loudnessDb, settings.gateDb);
    const ratio = this.#noteRatio(voice);
    const note = this.#gate.open && ratio >= 1 && voice.f0Hz > 0;
    if (voice.f0Hz > 0) this.#pitchHz = voice.f0Hz;
    if (note) {
      this.octaveChoice.learn(hzToMidi(voice.f0Hz));
      this.#loudness.learn(voice.loudnessDb);
    } else if (ratio < 1) {
      this.octaveChoice.rest();
    }
    const { frame } = this;
    this.#pitched = voice.f0Hz > 0 ? 1 : Math.max(0, this.#pitched - 1 / (UNPITCHED_SECONDS * this.#frameRate));
    this.#movePitch(this.#playedHz(settings));
    const matched = settings.automatic
      ? this.#loudness.match(voice.loudnessDb) - QUIET_DB * Math.max(0, 1 - ratio)
      : voice.loudnessDb;
    frame.loudnessDb = matched + settings.loudnessDb;
    frame.rms = rmsOfLoudness(frame.loudnessDb, this.#statistics);
  }

  /** Octaves by which the voice is moved, by hand and by itself. */
  octaves({ automatic, octaves }: LiveSettings): number {
    return octaves + (automatic ? this.octaveChoice.octaves : 0);
  }

  /**
   * A leap of the voice, or to another octave, is taken in silence, down in one frame and up in the next: gone through
   * within a frame it would be a chirp of all harmonics.
   */
  #movePitch(hz: number): void {
    const { frame } = this;
    const leaps = Math.abs(12 * Math.log2(hz / frame.f0Hz)) > LEAP_SEMITONES;
    const waits = leaps && frame.pitchedGain > 0;
    if (waits) this.#gate.gain = 0;
    else frame.f0Hz = hz;
    frame.gain = this.#gate.gain;
    frame.pitchedGain = frame.gain * this.#pitched;
  }

  #playedHz(settings: LiveSettings): number {
    const hz = shiftOctaves(this.#pitchHz, this.octaves(settings));
    if (settings.autotune <= 0) return hz;
    const midi = hzToMidi(hz);
    return midiToHz(midi - settings.autotune * (midi - nearestSemitone(midi)));
  }

  /** See `noteRatio` in ../features/notes.ts; a note is on from 1. */
  #noteRatio({ confidence, loudnessDb }: AnalysedFrame): number {
    const sure = confidence ** 2;
    const [rise, fall] = SURE_SECONDS;
    const kept = remainder(sure > this.#sure ? rise : fall, this.#frameRate);
    this.#sure = sure + kept * (this.#sure - sure);
    const height = loudnessDb - FLOOR_DB;
    if (this.#gate.open) this.#typical += (height - this.#typical) / (TYPICAL_SECONDS * this.#frameRate);
    return (this.#sure * height) / (Math.max(1, this.#typical) * CONFIDENCE_THRESHOLD ** 2);
  }
}
