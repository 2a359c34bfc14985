/** The lines of a pitch lane. */

import { isBlack } from "../keys/range.ts";
import { noteName } from "../sound/pitch.ts";
import { LEAP_SEMITONES } from "./curve.ts";
import { horizontal, type Surface } from "./surface.ts";

/** Width on the left for the names of notes, in CSS pixels. */
export const LABELS = 40;
/** Share of pitches at either end that a tracker may have got wrong. */
const STRAY = 0.02;
/** Height that a name needs above its line. */
const LABEL_HEIGHT = 17;

export interface Range {
  /** MIDI numbers at the bottom and at the top. */
  readonly low: number;
  readonly high: number;
}

/** Finds the lowest and highest of pitches, the odd stray one left out; null where there are none. Sorts the array. */
export function spanOf(pitches: number[]): Range | null {
  if (pitches.length === 0) return null;
  pitches.sort((a, b) => a - b);
  const at = (share: number) => pitches[Math.round(share * (pitches.length - 1))] ?? Number.NaN;
  return { low: at(STRAY), high: at(1 - STRAY) };
}

export function yOfPitch(surface: Surface, range: Range, midi: number): number {
  return (1 - (midi - range.low) / (range.high - range.low)) * surface.height;
}

/** Computes how far apart in height two frames are that no curve joins. */
export function leapPixels(surface: Surface, range: Range): number {
  return (LEAP_SEMITONES * surface.height) / (range.high - range.low);
}

/** Checks whether a note's name fits under the next note's: between E and F, and B and C, there is but a semitone. */
function hasRoom(midi: number, semitone: number): boolean {
  const toNext = isBlack(midi + 1) ? 2 : 1;
  return toNext * semitone >= LABEL_HEIGHT;
}

/** Draws one line for every white key, with the name of every C (of every note where there is room). */
export function drawStaff(surface: Surface, range: Range): void {
  const { context, theme, height } = surface;
  const semitone = height / (range.high - range.low);
  context.font = theme.font;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (let midi = Math.ceil(range.low); midi <= range.high; midi++) {
    if (isBlack(midi)) continue;
    const y = yOfPitch(surface, range, midi);
    const isC = midi % 12 === 0;
    if (!isC && semitone < 4) continue;
    context.strokeStyle = theme.line;
    context.globalAlpha = isC ? 1 : 0.45;
    context.lineWidth = 1;
    horizontal(surface, Math.round(y) + 0.5);
    context.globalAlpha = 1;
    if (y < LABEL_HEIGHT || (!isC && !hasRoom(midi, semitone))) continue;
    context.fillStyle = theme.soft;
    context.fillText(noteName(midi), 8, y - 7);
  }
}
