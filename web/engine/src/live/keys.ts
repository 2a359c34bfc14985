/** Plays from keys: a single line, the newest key first, as a monophonic synthesiser does. */

import type { Statistics } from "../bundle/manifest.ts";
import { rmsOfLoudness } from "../features/adjust.ts";
import { FLOOR_DB } from "../features/floor.ts";
import { midiToHz } from "../features/pitch_scale.ts";
import { loudnessQuantiles, valueAtRank } from "../features/quantiles.ts";
import { type PlayedFrame, remainder } from "./played_frame.ts";
import type { LiveSettings } from "./types.ts";

const MOST_KEYS = 32;
const HIGHEST_MIDI = 110;
const SILENCE = 1e-3; // of an envelope: -60 dB
const VIBRATO_DELAY_SECONDS = 0.2;
const VIBRATO_RISE_SECONDS = 0.4;
const TOUCH_SECONDS = 0.03; // from one velocity to the next in a tied note

export class Keys {
  readonly frame: PlayedFrame = { f0Hz: 440, loudnessDb: FLOOR_DB, rms: 0, gain: 0, pitchedGain: 0 };
  readonly #statistics: Statistics;
  readonly #quantiles: ArrayLike<number>;
  readonly #frameRate: number;
  /** Keys that are down, the newest last, with their velocities. */
  readonly #keys: number[] = [];
  readonly #velocities: number[] = [];
  #bend = 0;
  /** Where the glide is, and by how much it goes on in a frame. */
  #midi = 69;
  #glide = 0;
  #touchDb = FLOOR_DB;
  #envelope = 0;
  #sounding = 0; // frames since the note began
  #vibrato = 0; // cycles

  constructor(statistics: Statistics, frameRate: number) {
    this.#statistics = statistics;
    this.#quantiles = loudnessQuantiles(statistics);
    this.#frameRate = frameRate;
  }

  /** @param velocity 0 to 1. */
  noteOn(midi: number, velocity: number, { glideSeconds }: LiveSettings): void {
    const tied = this.#keys.length > 0;
    this.#lift(midi);
    if (this.#keys.length === MOST_KEYS) this.#lift(this.#keys[0] as number);
    this.#keys.push(midi);
    this.#velocities.push(velocity);
    if (tied) {
      this.#aim(glideSeconds);
      return;
    }
    this.#midi = midi;
    this.#glide = 0;
    this.#sounding = 0;
    if (this.#envelope < SILENCE) {
      this.#touchDb = this.#wantedDb();
      this.#vibrato = 0;
    }
  }

  noteOff(midi: number, { glideSeconds }: LiveSettings): void {
    const wasNewest = this.#keys.at(-1) === midi;
    this.#lift(midi);
    if (wasNewest && this.#keys.length) this.#aim(glideSeconds);
  }

  /** @param semitones by which all keys sound higher. */
  bend(semitones: number): void {
    this.#bend = semitones;
  }

  allNotesOff(): void {
    this.#keys.length = 0;
    this.#velocities.length = 0;
  }

  /** Holds what the keys of another instrument hold, and strikes it anew. */
  takeOver(others: Keys): void {
    this.#keys.push(...others.#keys);
    this.#velocities.push(...others.#velocities);
    this.#bend = others.#bend;
    this.#midi = this.#keys.at(-1) ?? this.#midi;
    this.#touchDb = this.#wantedDb();
  }

  /** Leaves the next frame in `frame`. */
  next(settings: LiveSettings): void {
    this.#moveEnvelope(settings);
    this.#moveGlide();
    const touch = remainder(TOUCH_SECONDS, this.#frameRate);
    if (this.#keys.length) this.#touchDb = this.#wantedDb() + touch * (this.#touchDb - this.#wantedDb());
    const cents = this.#vibratoDepth(settings) * Math.sin(2 * Math.PI * this.#vibrato);
    this.#vibrato = (this.#vibrato + settings.vibratoHz / this.#frameRate) % 1;
    this.#sounding++;
    const midi = this.#midi + this.#bend + 12 * settings.octaves + cents / 100;
    const { frame } = this;
    frame.f0Hz = midiToHz(Math.max(0, Math.min(HIGHEST_MIDI, midi)));
    // The instrument itself gets softer with its loudness; only the rest of the way to silence is the gain's.
    frame.loudnessDb =
      this.#touchDb + settings.loudnessDb + Math.max(-30, 20 * Math.log10(Math.max(this.#envelope, 1e-6)));
    frame.rms = rmsOfLoudness(frame.loudnessDb, this.#statistics);
    frame.gain = Math.min(1, this.#envelope * 30);
    frame.pitchedGain = frame.gain;
  }

  #moveEnvelope({ attackSeconds, releaseSeconds }: LiveSettings): void {
    if (this.#keys.length) {
      this.#envelope = Math.min(1, this.#envelope + 1 / Math.max(1, attackSeconds * this.#frameRate));
    } else {
      this.#envelope *= remainder(releaseSeconds / 3, this.#frameRate); // -60 dB at its end
      if (this.#envelope < SILENCE) this.#envelope = 0;
    }
  }

  #moveGlide(): void {
    const target = this.#keys.at(-1);
    if (target === undefined) return;
    const left = target - this.#midi;
    this.#midi = Math.abs(left) <= Math.abs(this.#glide) || this.#glide === 0 ? target : this.#midi + this.#glide;
  }

  /** Glides from where the pitch is to the newest key. */
  #aim(glideSeconds: number): void {
    const distance = (this.#keys.at(-1) as number) - this.#midi;
    this.#glide = distance / Math.max(1, glideSeconds * this.#frameRate);
  }

  #vibratoDepth({ vibratoCents }: LiveSettings): number {
    const seconds = this.#sounding / this.#frameRate - VIBRATO_DELAY_SECONDS;
    return vibratoCents * Math.max(0, Math.min(1, seconds / VIBRATO_RISE_SECONDS));
  }

  #wantedDb(): number {
    return valueAtRank(this.#velocities.at(-1) ?? 0, this.#quantiles);
  }

  #lift(midi: number): void {
    const index = this.#keys.indexOf(midi);
    if (index < 0) return;
    this.#keys.splice(index, 1);
    this.#velocities.splice(index, 1);
  }
}
