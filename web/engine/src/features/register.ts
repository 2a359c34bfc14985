/**
 * Registers: how much of a voice falls where an instrument was recorded, and the octave in which most of it does
 * (`player/register.py`). A register is a density over semitones, [128], smoothed.
 */

import type { Statistics } from "../bundle/manifest.ts";

const SEMITONES = 128;
const SMOOTHING = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16] as const; // over semitones
const OCTAVES = 4; // searched to either side
const TIE = 1e-9;
/** Mean pitch, MIDI, and deviation of voices. */
const VOICES = { low: 50, middle: 59, high: 67 } as const;
const VOICE_DEVIATION = 4;

/** A voice's range: bass and baritone, tenor and alto, or soprano and child. */
export type VoiceRange = keyof typeof VOICES;

/** Gives the semitone that a pitch counts for. */
export function semitoneOf(midi: number): number {
  return Math.max(0, Math.min(SEMITONES - 1, Math.floor(midi + 0.5)));
}

/** Computes the register of note frames from their pitch in semitones, at least one. */
export function registerOf(noteMidi: Float64Array): Float64Array {
  const shares = new Float64Array(SEMITONES);
  for (const midi of noteMidi) {
    const at = semitoneOf(midi);
    shares[at] = (shares[at] as number) + 1 / noteMidi.length;
  }
  return smoothed(shares);
}

/** Smooths shares over semitones. */
export function smoothed(shares: Float64Array): Float64Array {
  return shares.map((_, at) => SMOOTHING.reduce((sum, weight, i) => sum + weight * (shares[at + i - 2] ?? 0), 0));
}

/**
 * Computes the register of an instrument. Statistics that were written before it was measured have mean, deviation and
 * extremes of the notes: a normal density between them stands for it.
 */
export function instrumentRegister({ pitch_shares: measured, pitch_note: notes }: Statistics): Float64Array {
  const shares = new Float64Array(SEMITONES);
  if (measured) {
    shares.set(measured.shares.slice(0, SEMITONES - measured.lowest), measured.lowest);
    return smoothed(shares);
  }
  const normal = normalShares(notes.mean, Math.max(notes.std, 1), Math.floor(notes.min), Math.ceil(notes.max));
  return smoothed(normal);
}

/**
 * Finds the whole octaves after which a voice's register overlaps an instrument's most; of equals that nearest to none,
 * and of two as near the higher one. Null where no octave overlaps.
 */
export function overlapShift(voice: Float64Array, instrument: Float64Array): number | null {
  let best: number | null = null;
  let most = 0;
  for (let i = 0; i <= 2 * OCTAVES; i++) {
    const octaves = i % 2 ? (i + 1) / 2 : -i / 2 + 0; // 0, 1, -1, 2, -2, ...
    let overlap = 0;
    for (let at = Math.max(0, -12 * octaves); at < Math.min(SEMITONES, SEMITONES - 12 * octaves); at++) {
      overlap += Math.sqrt((voice[at] as number) * (instrument[at + 12 * octaves] as number));
    }
    if (overlap <= most + TIE) continue;
    most = overlap;
    best = octaves + 0;
  }
  return best;
}

/** Computes the octaves by which a voice of a range is moved before it is known better. */
export function startingOctaves(statistics: Statistics, range: VoiceRange): number {
  const voice = smoothed(normalShares(VOICES[range], VOICE_DEVIATION, 0, SEMITONES - 1));
  return overlapShift(voice, instrumentRegister(statistics)) ?? 0;
}

function normalShares(mean: number, deviation: number, lowest: number, highest: number): Float64Array {
  const shares = Float64Array.from({ length: SEMITONES }, (_, midi) =>
    midi < lowest || midi > highest ? 0 : Math.exp(-0.5 * ((midi - mean) / deviation) ** 2),
  );
  const total = shares.reduce((sum, share) => sum + share, 0);
  return total > 0 ? shares.map((share) => share / total) : shares;
}
