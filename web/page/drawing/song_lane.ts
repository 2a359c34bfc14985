/** A song as it comes along: its notes, their syllables, and what is sung. */

import { VOICED_CONFIDENCE } from "swara-engine";
import { folded, inView, type LaneView, noteBox, paged, pitchRange, scrolling, xOf, yOf } from "../song/lane.ts";
import { noteAt, swara, type TimedNote } from "../song/score.ts";
import type { TracePoint } from "../sound/trace.ts";
import { type CurvePoint, drawCurve, LEAP_SEMITONES, widthOf } from "./curve.ts";
import { LABELS } from "./staff.ts";
import { horizontal, type Surface, vertical } from "./surface.ts";

const SECONDS_OF_600_PIXELS = 7;

export interface SongScene {
  readonly notes: readonly TimedNote[];
  /** MIDI number of Sa. */
  readonly tonic: number;
  /** Seconds from the first beat, negative before it. */
  readonly now: number;
  /** What is sung, its times counted from the first beat. */
  readonly sung: Iterable<Pick<TracePoint, "time" | "voice" | "confidence" | "loudness">>;
}

export function drawSongLane(surface: Surface, scene: SongScene): void {
  const { context, width, height } = surface;
  const seconds = Math.max(4, (width / 600) * SECONDS_OF_600_PIXELS);
  const window = surface.still ? paged(scene.now, seconds) : scrolling(scene.now, seconds);
  const view: LaneView = { width: width - LABELS, height, ...window, ...pitchRange(scene.notes) };
  drawSwaras(surface, view, scene.tonic);
  context.save();
  context.beginPath();
  context.rect(LABELS, 0, width - LABELS, height);
  context.clip();
  context.translate(LABELS, 0);
  for (const note of inView(view, scene.notes)) drawNote(surface, view, note, scene.now);
  context.strokeStyle = surface.theme.accent;
  drawCurve(context, sung(view, scene), yOf(view, 0) - yOf(view, LEAP_SEMITONES));
  context.strokeStyle = surface.theme.ink;
  context.lineWidth = 1.5;
  vertical(surface, Math.round(xOf(view, scene.now)) + 0.5);
  context.restore();
}

function drawSwaras(surface: Surface, view: LaneView, tonic: number): void {
  const { context, theme } = surface;
  context.font = theme.font;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (let midi = Math.ceil(view.low); midi <= view.high; midi++) {
    const name = swara(midi, tonic);
    const isSa = name === "Sa";
    if (!isSa && !/^(Re|Ga|Ma|Pa|Dha|Ni)$/.test(name)) continue;
    const y = yOf(view, midi);
    context.strokeStyle = theme.line;
    context.globalAlpha = isSa ? 1 : 0.5;
    context.lineWidth = isSa ? 1.5 : 1;
    horizontal(surface, Math.round(y) + 0.5);
    context.globalAlpha = 1;
    context.fillStyle = isSa ? theme.ink : theme.soft;
    context.fillText(name, 8, y - 7);
  }
}

function drawNote({ context, theme }: Surface, view: LaneView, note: TimedNote, now: number): void {
  const { x, y, width, height } = noteBox(view, note);
  const bar = Math.max(8, height * 0.85);
  const due = now >= note.start && now < note.end;
  context.beginPath();
  context.roundRect(x + 1, y + height / 2 - bar / 2, Math.max(2, width - 2), bar, bar / 2);
  context.fillStyle = theme.ink;
  context.globalAlpha = due ? 0.34 : now >= note.end ? 0.1 : 0.2;
  context.fill();
  context.globalAlpha = now >= note.end ? 0.55 : 1;
  if (note.syllable !== "") {
    context.font = theme.font.replace(/^\d+px/, "15px");
    context.textAlign = "left";
    context.textBaseline = "bottom";
    context.fillText(note.syllable, x + 4, y + height / 2 - bar / 2 - 3);
  }
  context.globalAlpha = 1;
}

function* sung(view: LaneView, scene: SongScene): Generator<CurvePoint> {
  let target = scene.notes[0]?.midi ?? 60;
  for (const point of scene.sung) {
    target = noteAt(scene.notes, point.time)?.midi ?? target;
    const midi = point.confidence >= VOICED_CONFIDENCE ? folded(point.voice, target) : Number.NaN;
    yield { x: xOf(view, point.time), y: yOf(view, midi), width: widthOf(point.loudness), alpha: point.confidence };
  }
}
