import { expect, test } from "vitest";
import { bursts, onsets } from "../../../benchmarks/browser/onsets.ts";

const RATE = 8000;

test("an answer that comes late is found as late as it is, past the bursts in which the instrument settles", () => {
  const source = bursts(440, RATE);
  const late = 200; // samples
  const answer = new Float32Array(source.length);
  answer.set(source.subarray(0, source.length - late), late);
  const found = onsets(source, answer, RATE);
  expect(found.bursts).toBe(9);
  for (const seconds of found.seconds) expect(Math.abs(seconds - late / RATE)).toBeLessThan(2 / RATE);
});

test("a soft beginning counts from where it is audible", () => {
  const source = bursts(440, RATE);
  const period = RATE;
  const answer = source.map((value, i) => value * Math.min(1, (i % period) / (0.1 * RATE)));
  const { seconds, toHalf } = onsets(source, answer, RATE);
  expect(Math.max(...seconds)).toBeLessThan(0.03);
  expect(Math.min(...toHalf)).toBeGreaterThan(0.03);
});

test("silence is no answer", () => {
  const source = bursts(440, RATE);
  expect(() => onsets(source, new Float32Array(source.length), RATE)).toThrow("has no answer");
});
