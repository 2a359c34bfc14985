/** A take: its waveform, and over it the pitch of the voice and of the instrument. */

import { extremes } from "../sound/levels.ts";
import { midiOf } from "../sound/pitch.ts";
import type { Rendered, Side } from "../store/take.ts";
import { type CurvePoint, DRAWN_CONFIDENCE, drawCurve } from "./curve.ts";
import { drawStaff, LABELS, leapPixels, type Range, spanOf, yOfPitch } from "./staff.ts";
import { type Surface, vertical } from "./surface.ts";

const SMALLEST_SPAN = 18; // semitones

/** Draws all but the playhead: minutes of sound take longer to draw than a frame of the screen lasts. */
export function drawTake(surface: Surface, take: Rendered, side: Side): void {
  const { seconds, xAt } = timeAxis(surface, take);
  const range = rangeOf(take);
  drawWaveform(surface, side === "before" ? take.before : take.after, xAt(0), xAt(seconds));
  if (range) {
    drawStaff(surface, range);
    const leap = leapPixels(surface, range);
    surface.context.strokeStyle = surface.theme.ink;
    drawCurve(surface.context, voiceCurve(surface, take, range, xAt), leap);
    surface.context.strokeStyle = surface.theme.accent;
    drawCurve(surface.context, playedCurve(surface, take, range, xAt), leap);
  }
}

/** Draws the playhead. @param position s from the beginning of the take, null where nothing plays. */
export function drawPlayhead(surface: Surface, take: Rendered, position: number | null): void {
  if (position === null) return;
  const { xAt } = timeAxis(surface, take);
  surface.context.strokeStyle = surface.theme.ink;
  surface.context.lineWidth = 1.5;
  vertical(surface, Math.round(xAt(position)) + 0.5);
}

function timeAxis({ width }: Surface, take: Rendered) {
  const seconds = Math.max(take.before.length, take.after.length) / take.sampleRate;
  return { seconds, xAt: (at: number) => LABELS + (at / seconds) * (width - LABELS - 8) };
}

function drawWaveform({ context, height, theme }: Surface, audio: Float32Array, left: number, right: number): void {
  const bins = Math.max(1, Math.floor((right - left) / 2));
  const { low, high } = extremes(audio, bins);
  const loudest = Math.max(0.05, ...high, ...low.map((value) => -value));
  context.fillStyle = theme.ink;
  context.globalAlpha = 0.13;
  for (let bin = 0; bin < bins; bin++) {
    const top = (1 - (high[bin] ?? 0) / loudest) * (height / 2);
    const bottom = (1 - (low[bin] ?? 0) / loudest) * (height / 2);
    context.fillRect(left + 2 * bin, top, 1.4, Math.max(1, bottom - top));
  }
  context.globalAlpha = 1;
}

function rangeOf(take: Rendered): Range | null {
  if (!take.features || !take.played) return null;
  const pitches: number[] = [];
  for (let frame = 0; frame < take.features.f0Hz.length; frame++) {
    if (isSure(take, frame)) pitches.push(midiOf(take.features.f0Hz[frame] ?? 0), midiOf(take.played.f0Hz[frame] ?? 0));
  }
  const span = spanOf(pitches);
  if (!span) return null;
  const { low, high } = span;
  const margin = 3 + Math.max(0, SMALLEST_SPAN - (high - low)) / 2;
  return { low: low - margin, high: high + margin };
}

function isSure(take: Rendered, frame: number): boolean {
  return (take.features?.confidence[frame] ?? 0) > DRAWN_CONFIDENCE && take.played?.noteOn[frame] === 1;
}

function* voiceCurve(surface: Surface, take: Rendered, range: Range, xAt: (at: number) => number) {
  const { features, frameRate } = take;
  for (let frame = 0; features && frame < features.f0Hz.length; frame++) {
    const alpha = features.confidence[frame] ?? 0;
    const y = alpha > DRAWN_CONFIDENCE ? yOfPitch(surface, range, midiOf(features.f0Hz[frame] ?? 0)) : Number.NaN;
    yield { x: xAt(frame / frameRate), y, width: 1.75, alpha } satisfies CurvePoint;
  }
}

function* playedCurve(surface: Surface, take: Rendered, range: Range, xAt: (at: number) => number) {
  const { played, frameRate } = take;
  for (let frame = 0; played && frame < played.f0Hz.length; frame++) {
    const y = isSure(take, frame) ? yOfPitch(surface, range, midiOf(played.f0Hz[frame] ?? 0)) : Number.NaN;
    yield { x: xAt(frame / frameRate), y, width: 2.5, alpha: 1 } satisfies CurvePoint;
  }
}
