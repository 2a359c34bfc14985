import { describe, expect, test } from "vitest";
import { clickAt, findClick } from "../../page/store/delay.ts";
import { random } from "../engine/signals.ts";

const RATE = 48_000;

/** What a microphone picks up of a click that is played after 0.3 s, comes back later, and rings in a room. */
function pickedUp(late: number, level: number, noise: number): Float32Array {
  const hiss = random(1.3 * RATE, 4);
  const audio = Float32Array.from({ length: 1.3 * RATE }, (_, i) => noise * (hiss[i] as number));
  const click = clickAt(RATE);
  for (const [after, gain] of [
    [0, 1],
    [0.013, 0.5],
    [0.04, 0.3],
  ] as const) {
    const from = Math.round((0.3 + late + after) * RATE);
    click.forEach((sample, i) => {
      if (from + i < audio.length) audio[from + i] = (audio[from + i] as number) + level * gain * sample;
    });
  }
  return audio;
}

describe("a click through loudspeaker and microphone", () => {
  test("is found as late as it comes, to the sample's neighbourhood", () => {
    for (const late of [0.004, 0.06, 0.146, 0.4]) {
      const found = findClick(pickedUp(late, 0.3, 0.003), 0.3 * RATE) as number;
      expect(Math.abs(found / RATE - late)).toBeLessThan(0.0005);
    }
  });

  test("is not made up where there is none, or where a room is as loud", () => {
    expect(findClick(new Float32Array(1.3 * RATE), 0.3 * RATE)).toBeNull();
    expect(findClick(pickedUp(0.1, 0, 0.01), 0.3 * RATE)).toBeNull();
    expect(findClick(pickedUp(0.1, 0.1, 0.05), 0.3 * RATE)).toBeNull();
  });
});
