/** The last seconds of a voice and of the instrument that follows it. */

import type { Trace } from "../sound/trace.ts";
import { type CurvePoint, DRAWN_CONFIDENCE, drawCurve, widthOf } from "./curve.ts";
import { drawStaff, LABELS, leapPixels, type Range, spanOf, yOfPitch } from "./staff.ts";
import { type Surface, vertical } from "./surface.ts";

const SECONDS = 7;
const SMALLEST_SPAN = 26; // semitones
const SPARSE = 8;
const EASE_SECONDS = 0.5;

/** A range of pitches that follows what is sung and played without haste. */
export class Framing {
  #range: Range;
  #time = 0;

  constructor(low: number, high: number) {
    this.#range = widened(low, high);
  }

  get range(): Range {
    return this.#range;
  }

  /** Moves towards a range that shows all points. */
  follow(trace: Trace, since: number, still: boolean): void {
    const span = spanOf(pitchesOf(trace, since));
    if (!span) return;
    const { low, high } = span;
    const now = trace.newest;
    const aim = widened(low - 3, high + 3);
    const inside = low > this.#range.low + 1 && high < this.#range.high - 1;
    if (still && inside) return;
    const pace = still ? 1 : 1 - Math.exp(-Math.min(1, Math.abs(now - this.#time)) / EASE_SECONDS);
    this.#time = now;
    this.#range = {
      low: this.#range.low + pace * (aim.low - this.#range.low),
      high: this.#range.high + pace * (aim.high - this.#range.high),
    };
  }
}

/** Lists the pitches of voice and instrument in every few frames: enough to frame them. */
function pitchesOf(trace: Trace, since: number): number[] {
  const pitches: number[] = [];
  let frame = 0;
  for (const point of trace.since(since)) {
    if (frame++ % SPARSE !== 0) continue;
    if (point.confidence >= DRAWN_CONFIDENCE) pitches.push(point.voice);
    if (Number.isFinite(point.played)) pitches.push(point.played);
  }
  return pitches;
}

function widened(low: number, high: number): Range {
  const missing = Math.max(0, SMALLEST_SPAN - (high - low)) / 2;
  return { low: low - missing, high: high + missing };
}

/**
 * Draws the trace up to its newest frame: the voice thin, as strong as its pitch is sure, the instrument as wide as it
 * is loud.
 *
 * @param hint what to do, shown as long as there is nothing to see.
 */
export function drawPitchRoll(surface: Surface, trace: Trace, framing: Framing, hint = ""): void {
  const { context, width, theme } = surface;
  const now = trace.newest;
  framing.follow(trace, now - SECONDS, surface.still);
  drawStaff(surface, framing.range);
  const present = width - 28;
  const xAt = (time: number) => present + ((time - now) / SECONDS) * (present - LABELS);
  const leap = leapPixels(surface, framing.range);
  context.strokeStyle = theme.ink;
  drawCurve(context, voice(surface, trace, framing.range, now, xAt), leap);
  context.strokeStyle = theme.accent;
  drawCurve(context, played(surface, trace, framing.range, now, xAt), leap);
  context.strokeStyle = theme.soft;
  context.lineWidth = 1;
  vertical(surface, Math.round(present) + 0.5);
  if (trace.isEmpty) drawHint(surface, hint);
}

function drawHint({ context, width, height, theme }: Surface, hint: string): void {
  context.font = theme.largeFont;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = theme.soft;
  context.fillText(hint, (width + LABELS - 28) / 2, height / 2);
}

function* voice(surface: Surface, trace: Trace, range: Range, now: number, xAt: (time: number) => number) {
  for (const point of trace.since(now - SECONDS)) {
    const y = point.confidence > DRAWN_CONFIDENCE ? yOfPitch(surface, range, point.voice) : Number.NaN;
    yield { x: xAt(point.time), y, width: 1.75, alpha: point.confidence } satisfies CurvePoint;
  }
}

function* played(surface: Surface, trace: Trace, range: Range, now: number, xAt: (time: number) => number) {
  for (const point of trace.since(now - SECONDS)) {
    const y = yOfPitch(surface, range, point.played);
    yield { x: xAt(point.time), y, width: widthOf(point.playedLoudness), alpha: 1 } satisfies CurvePoint;
  }
}
