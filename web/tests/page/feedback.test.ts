import { describe, expect, test } from "vitest";
import { FeedbackGuard } from "../../page/sound/feedback.ts";

/** Runs the guard while the microphone picks up the `level` that follows from the gain of the sound. */
function world(guard: FeedbackGuard, seconds: number, level: (gain: number, time: number) => number, playedDb = -12) {
  const states: string[] = [];
  for (let time = 0; time < seconds; time += 0.04) {
    const microphoneDb = level(guard.gain, time);
    states.push(guard.update({ time, microphoneDb, playedDb: guard.gain > 0 ? playedDb : -80 }));
  }
  return states;
}

describe("the guard against feedback", () => {
  test("turns a loop off for good: it dies when the sound does", () => {
    const guard = new FeedbackGuard();
    let level = -12;
    const states = world(guard, 4, (gain) => {
      level = gain > 0 ? -12 : Math.max(-70, level - 6);
      return level;
    });
    expect(states.at(-1)).toBe("shut");
    expect(guard.gain).toBe(0);
  });

  test("lets a singer with headphones sing on, and does not test again soon", () => {
    const guard = new FeedbackGuard();
    const states = world(guard, 15, () => -12);
    expect(states.at(-1)).toBe("open");
    expect(states.filter((state, index) => state === "testing" && states[index - 1] !== "testing")).toHaveLength(1);
  });

  test("never tests where there are pauses, or the sound is soft", () => {
    expect(world(new FeedbackGuard(), 20, (_, time) => (time % 1.2 < 1 ? -12 : -50))).not.toContain("testing");
    expect(world(new FeedbackGuard(), 20, () => -45)).not.toContain("testing");
    expect(world(new FeedbackGuard(), 20, () => -12, -50)).not.toContain("testing");
  });

  test("opens when it is reopened, and watches anew", () => {
    const guard = new FeedbackGuard();
    const loop = (gain: number) => (gain > 0 ? -12 : -60);
    expect(world(guard, 4, loop).at(-1)).toBe("shut");
    guard.reopen();
    expect(guard.gain).toBe(1);
    expect(world(guard, 4, loop).at(-1)).toBe("shut");
  });
});
