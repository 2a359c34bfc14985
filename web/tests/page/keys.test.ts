import { describe, expect, test } from "vitest";
import { keyAction, letterOf } from "../../page/keys/computer.ts";
import { parseMidi } from "../../page/keys/midi.ts";
import { homeOctave, isBlack, isKnown, keyRange } from "../../page/keys/range.ts";

const spread = (mean: number, min: number, max: number) => ({ mean, min, max, mean_min: min, mean_max: max, std: 5 });
const VIOLIN = {
  pitch: spread(72, 30, 100),
  pitch_note: spread(72, 55.2, 88.4),
  loudness: spread(-40, -80, -10),
  loudness_note: spread(-30, -50, -10),
  loudness_quantiles: [-50, -10],
};

describe("the computer's keyboard", () => {
  test("plays white keys on the middle row and black ones above it", () => {
    const row = (codes: string) => codes.split("").map((letter) => keyAction(`Key${letter}`));
    expect(row("ASDFGHJK")).toEqual([0, 2, 4, 5, 7, 9, 11, 12].map((semitones) => ({ kind: "note", semitones })));
    for (const action of row("WETYUOP"))
      expect(isBlack(60 + (action?.kind === "note" ? action.semitones : 0))).toBe(true);
    expect(keyAction("KeyQ")).toBeNull();
    expect(keyAction("Space")).toBeNull();
  });

  test("moves octave and velocity with the lowest row", () => {
    expect(keyAction("KeyZ")).toEqual({ kind: "octave", by: -1 });
    expect(keyAction("KeyX")).toEqual({ kind: "octave", by: 1 });
    expect(keyAction("KeyC")).toMatchObject({ kind: "velocity", by: -0.125 });
    expect(keyAction("KeyV")).toMatchObject({ kind: "velocity", by: 0.125 });
  });

  test("names the letter of a key", () => {
    expect([0, 1, 16, 17, -1].map(letterOf)).toEqual(["A", "W", ";", "", ""]);
  });
});

describe("MIDI", () => {
  test.each([
    [[0x90, 60, 127], { kind: "on", midi: 60, velocity: 1 }],
    [[0x9f, 72, 64], { kind: "on", midi: 72, velocity: 64 / 127 }],
    [[0x90, 60, 0], { kind: "off", midi: 60 }],
    [[0x83, 61, 40], { kind: "off", midi: 61 }],
    [[0xe0, 0, 64], { kind: "bend", semitones: 0 }],
    [[0xe0, 0, 0], { kind: "bend", semitones: -2 }],
    [[0xe0, 0, 96], { kind: "bend", semitones: 1 }],
    [[0xb0, 123, 0], { kind: "silence" }],
    [[0xb0, 120, 0], { kind: "silence" }],
    [[0xb0, 1, 30], null], // modulation wheel
    [[0xf8], null], // clock
    [[], null],
  ])("%j means %j", (data, meant) => {
    expect(parseMidi(Uint8Array.from(data))).toEqual(meant);
  });
});

describe("an instrument's keys", () => {
  test("span what its recordings held, in whole octaves", () => {
    expect(keyRange(VIOLIN)).toEqual({ low: 48, high: 95 });
  });

  test("distinguish pitches that were learned", () => {
    expect([54, 55, 89, 90].map((midi) => isKnown(VIOLIN, midi))).toEqual([false, true, true, false]);
  });

  test("begin where the instrument's middle is under the hand", () => {
    expect(homeOctave(VIOLIN)).toBe(60);
    expect(homeOctave({ ...VIOLIN, pitch: spread(48, 30, 60) })).toBe(36);
  });
});
