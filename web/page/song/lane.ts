/**
 * Positions of notes and pitches in the pitch lane. All lengths in CSS pixels, times in seconds, pitches in MIDI
 * numbers.
 */

import type { TimedNote } from "./score.ts";

/** A window on the song. */
export interface LaneView {
  readonly width: number;
  readonly height: number;
  /** Time at the left edge and at the right one. */
  readonly from: number;
  readonly to: number;
  /** Pitch at the bottom and at the top. */
  readonly low: number;
  readonly high: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Position of the present in a lane that scrolls: this share of the width from the left. */
const PRESENT = 0.3;
const MARGIN_SEMITONES = 3;

/** Finds the pitches that a lane must show: those of the notes, and some room to sing wrong in. */
export function pitchRange(notes: readonly TimedNote[]): { low: number; high: number } {
  const midi = notes.map((note) => note.midi);
  return { low: Math.min(...midi) - MARGIN_SEMITONES, high: Math.max(...midi) + MARGIN_SEMITONES };
}

/** Computes the window of a lane that moves under a standing present. */
export function scrolling(now: number, seconds: number): { from: number; to: number } {
  return { from: now - PRESENT * seconds, to: now + (1 - PRESENT) * seconds };
}

/** Computes the window of a lane that stands still and is turned like a page, for less motion. */
export function paged(now: number, seconds: number): { from: number; to: number } {
  const from = Math.floor(now / seconds) * seconds;
  return { from, to: from + seconds };
}

export function xOf(view: LaneView, seconds: number): number {
  return ((seconds - view.from) / (view.to - view.from)) * view.width;
}

export function yOf(view: LaneView, midi: number): number {
  return (1 - (midi - view.low) / (view.high - view.low)) * view.height;
}

/** Computes the box of a note: a semitone high. */
export function noteBox(view: LaneView, note: TimedNote): Box {
  const x = xOf(view, note.start);
  const height = view.height / (view.high - view.low);
  return { x, y: yOf(view, note.midi) - height / 2, width: xOf(view, note.end) - x, height };
}

/** Lists the notes of which any part is in view. */
export function inView(view: LaneView, notes: readonly TimedNote[]): TimedNote[] {
  return notes.filter((note) => note.end > view.from && note.start < view.to);
}

/** Moves a sung pitch to the octave nearest to its target: a song may be sung an octave lower or higher. */
export function folded(midi: number, target: number): number {
  return midi - 12 * Math.round((midi - target) / 12);
}
