/** Judges how near a voice came to a song. */

import { folded } from "./lane.ts";
import { noteAt, type TimedNote } from "./score.ts";

export interface Sung {
  /** Seconds from the first beat. */
  readonly at: number;
  /** MIDI number, NaN where no pitch was found. */
  readonly midi: number;
}

export interface Judgement {
  /**
   * Share of the time with a pitch, in a note, that was within half a semitone of it, in any octave; NaN: nothing
   * sung.
   */
  readonly inTune: number;
  /** Median distance in cents, above the note where positive; NaN: nothing sung. */
  readonly cents: number;
}

const IN_TUNE_SEMITONES = 0.5;

/** Compares pitches, measured at regular times, with the notes that were due. */
export function judge(sung: readonly Sung[], notes: readonly TimedNote[]): Judgement {
  const off: number[] = [];
  for (const { at, midi } of sung) {
    const note = noteAt(notes, at);
    if (note !== null && Number.isFinite(midi)) off.push(folded(midi, note.midi) - note.midi);
  }
  if (off.length === 0) return { inTune: Number.NaN, cents: Number.NaN };
  off.sort((a, b) => a - b);
  return {
    inTune: off.filter((semitones) => Math.abs(semitones) <= IN_TUNE_SEMITONES).length / off.length,
    cents: 100 * (off[off.length >> 1] ?? 0),
  };
}
