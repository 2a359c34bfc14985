/** The keys of an instrument. */

import type { Statistics } from "swara-engine";

const BLACK = [1, 3, 6, 8, 10];

/** Finds the lowest and highest key, MIDI numbers: the recordings' pitches, whole octaves from C to B, at least two. */
export function keyRange(statistics: Statistics): { low: number; high: number } {
  const { min, max } = statistics.pitch_note;
  const low = Math.max(24, 12 * Math.floor(min / 12));
  return { low, high: Math.min(107, Math.max(low + 23, 12 * Math.ceil((max + 1) / 12) - 1)) };
}

/** Checks whether the instrument was trained on a pitch near this; outside of that range it extrapolates. */
export function isKnown(statistics: Statistics, midi: number): boolean {
  return midi >= Math.floor(statistics.pitch_note.min) && midi <= Math.ceil(statistics.pitch_note.max);
}

export function isBlack(midi: number): boolean {
  return BLACK.includes(((midi % 12) + 12) % 12);
}

/** Finds the C at which the computer's keyboard begins, so that its middle is nearest to the instrument's. */
export function homeOctave(statistics: Statistics): number {
  return 12 * Math.round((statistics.pitch.mean - 8) / 12);
}
