/** Pitch curves: lines that break where there is no pitch, and change in width and strength along their way. */

export interface CurvePoint {
  readonly x: number;
  /** NaN: the curve breaks here. */
  readonly y: number;
  /** Line width in CSS pixels. */
  readonly width: number;
  /** 0 to 1. */
  readonly alpha: number;
}

/** Confidence above which a voice's pitch is drawn: less than a voiced frame has, since the line is faint there. */
export const DRAWN_CONFIDENCE = 0.35;

/** Strokes in this many steps of width and alpha look smooth, and cost few strokes. */
const STEPS = 8;

/** Semitones from one frame to the next that are a new note, not a slide. */
export const LEAP_SEMITONES = 1.5;

/**
 * Draws a curve in the context's stroke colour.
 *
 * @param leap CSS pixels from one point to the next at which the curve breaks.
 */
export function drawCurve(context: CanvasRenderingContext2D, points: Iterable<CurvePoint>, leap: number): void {
  context.lineCap = "round";
  context.lineJoin = "round";
  let last: CurvePoint | null = null;
  let style = "";
  for (const point of points) {
    if (!Number.isFinite(point.y)) {
      if (style !== "") context.stroke();
      style = "";
      last = null;
      continue;
    }
    if (last && Math.abs(point.y - last.y) < leap) {
      const width = Math.round(point.width * STEPS) / STEPS;
      const alpha = Math.round(point.alpha * STEPS) / STEPS;
      if (style !== `${width} ${alpha}`) {
        if (style !== "") context.stroke();
        style = `${width} ${alpha}`;
        context.lineWidth = width;
        context.globalAlpha = alpha;
        context.beginPath();
        context.moveTo(last.x, last.y);
      }
      context.lineTo(point.x, point.y);
    } else {
      if (style !== "") context.stroke();
      style = "";
    }
    last = point;
  }
  if (style !== "") context.stroke();
  context.globalAlpha = 1;
}

/** Computes the line width, in CSS pixels, for a loudness in dB. */
export function widthOf(loudnessDb: number): number {
  return 1.5 + 4.5 * Math.min(1, Math.max(0, (loudnessDb + 60) / 45));
}
