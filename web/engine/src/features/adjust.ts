/**
 * Moves a voice into the register and the loudness of an instrument, as `player/adjust.py` does (after ddsp's
 * timbre-transfer notebook).
 */

import type { Statistics } from "../bundle/manifest.ts";
import { noteRatio } from "./notes.ts";
import { hzToMidi, midiToHz } from "./pitch_scale.ts";
import { loudnessQuantiles, quantilesOf, rankOf, valueAtRank } from "./quantiles.ts";
import { instrumentRegister, overlapShift, registerOf } from "./register.ts";
import { autoTune, tuningFactor } from "./tuning.ts";
import type { AdjustedFeatures, AdjustOptions, Features } from "./types.ts";

export const MAX_F0_HZ = midiToHz(110);

/**
 * Finds the notes of a voice, gives their loudness the distribution of the instrument's notes, turns down what lies
 * between them, and shifts the pitch by whole octaves to where the instrument was recorded.
 *
 * Where no note is found only the shifts by hand are made.
 *
 * @throws RangeError the features have no frames or differ in length, or a value is not finite.
 */
export function adjust(features: Features, statistics: Statistics, options: AdjustOptions = {}): AdjustedFeatures {
  check(features);
  const {
    automatic = true,
    noteThreshold = 1,
    quietDb = 20,
    autotune = 0,
    chromatic = false,
    octaveRule = "overlap",
  } = options;
  const ratio = noteRatio(features.loudnessDb, features.confidence);
  const noteOn = Uint8Array.from(ratio, (value) => (value >= noteThreshold ? 1 : 0));
  let loudness: Float64Array = Float64Array.from(features.loudnessDb);
  let f0: Float64Array = Float64Array.from(features.f0Hz);
  let [shift, tuning] = [0, 0];
  if (automatic && noteOn.includes(1)) {
    const inNotes = (values: Float64Array) => values.filter((_, t) => noteOn[t]);
    loudness = matchLoudness(loudness, noteOn, ratio, loudnessQuantiles(statistics), quietDb);
    shift = automaticShift(inNotes(f0.map(hzToMidi)), statistics, octaveRule);
    f0 = f0.map((hz) => shiftOctaves(hz, shift));
    const midi = f0.map(hzToMidi);
    tuning = tuningFactor(inNotes(midi), inNotes(Float64Array.from(features.confidence)));
    if (autotune > 0) f0 = autoTune(midi, tuning, noteOn, autotune, chromatic).map(midiToHz);
  }
  const loudnessDb = Float32Array.from(loudness, (db) => db + (options.loudnessDb ?? 0));
  return {
    f0Hz: Float32Array.from(f0, (hz) => shiftOctaves(hz, options.octaves ?? 0)),
    loudnessDb,
    rms: loudnessDb.map((db) => rmsOfLoudness(db, statistics)),
    octaveShift: shift,
    tuningFactor: tuning,
    noteOn,
  };
}

/** Gives notes the instrument's loudness of the same rank, turns down the rest by up to quietDb. All [frames], dB. */
export function matchLoudness(
  loudnessDb: Float64Array,
  noteOn: Uint8Array,
  ratio: Float64Array,
  instrument: ArrayLike<number>,
  quietDb: number,
): Float64Array {
  const own = quantilesOf(loudnessDb.filter((_, t) => noteOn[t]));
  return loudnessDb.map((db, t) =>
    noteOn[t] ? valueAtRank(rankOf(db, own), instrument) : db - quietDb * Math.max(0, 1 - (ratio[t] as number)),
  );
}

/**
 * Counts the octaves by which notes are moved into an instrument's register. A voice that overlaps it in no octave is
 * moved by the notebook's rule.
 *
 * @param noteMidi [frames], of note frames, at least one.
 */
export function automaticShift(
  noteMidi: Float64Array,
  statistics: Statistics,
  rule: "overlap" | "notebook" = "overlap",
): number {
  const shift = rule === "overlap" ? overlapShift(registerOf(noteMidi), instrumentRegister(statistics)) : null;
  return shift ?? octaveShift(mean(noteMidi), statistics.pitch.mean);
}

/** Counts octaves from a mean pitch to a target, both MIDI: rounded up, but down over 1.5 (the notebook's rule). */
export function octaveShift(meanMidi: number, targetMidi: number): number {
  const octaves = (targetMidi - meanMidi) / 12;
  return (octaves > 1.5 ? Math.floor(octaves) : Math.ceil(octaves)) + 0; // no -0
}

/** Moves a pitch by octaves, between 0 Hz and MIDI 110. */
export function shiftOctaves(hz: number, octaves: number): number {
  return Math.max(0, Math.min(MAX_F0_HZ, hz * 2 ** octaves));
}

/**
 * Computes the RMS energy of an instrument that is so loud, linear (`player/adjust.py`): as far from its loudness
 * as that of the instrument's notes is on average. The voice's own RMS energy would carry the voice's timbre.
 */
export function rmsOfLoudness(loudnessDb: number, { power_note: power, loudness_note: loudness }: Statistics): number {
  return 10 ** ((loudnessDb + (power ? power.mean - loudness.mean : 0)) / 20);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function check({ f0Hz, confidence, loudnessDb, rms }: Features): void {
  const frames = f0Hz.length;
  if (!frames) throw new RangeError("the features have no frames");
  for (const [name, values] of Object.entries({ f0Hz, confidence, loudnessDb, rms })) {
    if (values.length !== frames) throw new RangeError(`${name} has ${values.length} frames, f0Hz has ${frames}`);
    if (!values.every(Number.isFinite)) throw new RangeError(`${name} holds a value that is not finite`);
  }
}
