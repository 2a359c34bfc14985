import { describe, expect, test } from "vitest";
import {
  folded,
  inView,
  type LaneView,
  noteBox,
  paged,
  pitchRange,
  scrolling,
  xOf,
  yOf,
} from "../../page/song/lane.ts";

const VIEW: LaneView = { width: 700, height: 240, from: 10, to: 17, low: 57, high: 69 };
const NOTE = { start: 12, end: 13, midi: 60, syllable: "" };

describe("the pitch lane", () => {
  test("puts time on its width and pitch on its height", () => {
    expect(xOf(VIEW, 10)).toBe(0);
    expect(xOf(VIEW, 17)).toBe(700);
    expect(yOf(VIEW, 57)).toBe(240);
    expect(yOf(VIEW, 69)).toBe(0);
    expect(yOf(VIEW, 63)).toBe(120);
  });

  test("draws a note a semitone high around its pitch, as long as it lasts", () => {
    expect(noteBox(VIEW, NOTE)).toEqual({ x: 200, y: 170, width: 100, height: 20 });
  });

  test("keeps the present at its position while it scrolls", () => {
    for (const now of [0, 3.3, 100]) {
      const { from, to } = scrolling(now, 10);
      expect(to - from).toBeCloseTo(10);
      expect(xOf({ ...VIEW, from, to }, now)).toBeCloseTo(210);
    }
  });

  test("stands still between turns of the page, and always shows the present", () => {
    expect(paged(3, 10)).toEqual(paged(9.9, 10));
    expect(paged(10, 10)).toEqual({ from: 10, to: 20 });
    expect(paged(-1, 10)).toEqual({ from: -10, to: 0 }); // counting in
  });

  test("leaves out what cannot be seen", () => {
    const notes = [9, 9.5, 12, 16.9, 17].map((start) => ({ ...NOTE, start, end: start + 0.9 }));
    expect(inView(VIEW, notes).map((note) => note.start)).toEqual([9.5, 12, 16.9]);
  });

  test("has room above and below the song", () => {
    const { low, high } = pitchRange([NOTE, { ...NOTE, midi: 67 }]);
    expect(low).toBeLessThan(60 - 1);
    expect(high).toBeGreaterThan(67 + 1);
  });

  test.each([
    [48, 60, 60],
    [47.4, 60, 59.4],
    [84.2, 60, 60.2],
    [65, 60, 65],
    [67, 60, 55],
  ])("folds %f to the octave of %f", (sung, target, shown) => {
    expect(folded(sung, target)).toBeCloseTo(shown);
  });
});
