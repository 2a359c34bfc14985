/**
 * Pitch in three forms: Hz, MIDI number, and the name of a note. It converts by itself: e2e runs it in Node, where the
 * engine needs its build.
 */

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** Converts a MIDI number to Hz. */
export function hzOf(midi: number): number {
  return 440 * 2 ** ((midi - 69) / 12);
}

/** Converts Hz to a MIDI number; NaN where there is no frequency. */
export function midiOf(hz: number): number {
  return hz > 0 ? 69 + 12 * Math.log2(hz / 440) : Number.NaN;
}

/** Names the note of a MIDI number: `A4` for 69. */
export function noteName(midi: number): string {
  const nearest = Math.round(midi);
  return `${NAMES[((nearest % 12) + 12) % 12] ?? ""}${Math.floor(nearest / 12) - 1}`;
}
