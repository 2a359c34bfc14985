import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { Statistics } from "../../engine/src/bundle/manifest.ts";
import { automaticShift, octaveShift } from "../../engine/src/features/adjust.ts";
import { loudnessQuantiles, valueAtRank } from "../../engine/src/features/quantiles.ts";
import { instrumentRegister, startingOctaves } from "../../engine/src/features/register.ts";
import { OctaveChoice } from "../../engine/src/live/octave_choice.ts";
import { missingPython, PYTHON, ROOT } from "./shared.ts";
import { random } from "./signals.ts";

const RATE = 250;

/** Semitones around a mean, as far as a deviation allows. */
function around(mean: number, width: number, seed = 1, count = 500): Float64Array {
  return Float64Array.from(random(count, seed), (x) => mean + width * x);
}

/** Statistics of an instrument with notes around a mean, from before registers were measured. */
function instrument(mean: number, deviation = 3): Statistics {
  const notes = { mean, max: mean + 8, min: mean - 8, mean_max: mean, mean_min: mean, std: deviation };
  return { pitch: notes, loudness: notes, pitch_note: notes, loudness_note: notes, loudness_quantiles: [-50, -10] };
}

const absent = missingPython();

/** Instruments, voices, and loudness as the pipeline writes, reads and chooses them. */
const PYTHON_SIDE = `
import json, sys
import numpy as np
from data.features.statistics import DatasetStatistics, QuantileTransformer, Spread, pitch_shares
from player.adjust import automatic_shift
from player.register import instrument_register
rng = np.random.default_rng(3)
cases = []
for case in range(60):
    notes = rng.normal(rng.uniform(40, 90), rng.uniform(1, 8), 400).clip(21, 108)
    spread = Spread.of(notes[None], np.ones((1, 400), bool))
    steps = rng.choice(rng.uniform(-80, -10, 6), 3000) + rng.normal(0, rng.choice([0.01, 4]), 3000)
    shares = pitch_shares(notes) if case % 2 else None
    statistics = DatasetStatistics(spread, spread, spread, spread, QuantileTransformer.fit(steps), pitch_shares=shares)
    raw = statistics.to_json()
    read = DatasetStatistics.from_json(raw)
    voice = rng.normal(rng.uniform(36, 84), rng.uniform(1, 6), 300)
    ranks = rng.uniform(size=50)
    cases.append({"statistics": raw, "voice": voice.tolist(), "shift": automatic_shift(voice, read),
        "register": instrument_register(read).tolist(), "ranks": ranks.tolist(),
        "loudness": read.loudness_quantiles.inverse_transform(ranks).tolist()})
json.dump(cases, sys.stdout)
`;

test.skipIf(absent)("registers, octaves and loudness of a manifest are those of Python", () => {
  const made = execFileSync(PYTHON, ["-c", PYTHON_SIDE], { cwd: ROOT, maxBuffer: 1 << 26 });
  const cases = JSON.parse(made.toString());
  expect(cases.some((one: { statistics: Statistics }) => one.statistics.loudness_details)).toBe(true);
  for (const { statistics, voice, shift, register, ranks, loudness } of cases) {
    expect(automaticShift(Float64Array.from(voice), statistics)).toBe(shift);
    for (const [at, density] of instrumentRegister(statistics).entries()) expect(density).toBeCloseTo(register[at], 9);
    const quantiles = loudnessQuantiles(statistics);
    for (const [at, rank] of ranks.entries()) expect(valueAtRank(rank, quantiles)).toBeCloseTo(loudness[at], 6);
  }
});

test("a voice 1.2 octaves below is moved by one octave, where the notebook moves it by two", () => {
  const voice = around(72 - 14.4, 4);
  expect(octaveShift(72 - 14.4, 72)).toBe(2);
  expect(automaticShift(voice, instrument(72))).toBe(1);
  expect(automaticShift(voice, instrument(72), "notebook")).toBe(2);
});

test("low, middle and high voices begin in octaves that fit them", () => {
  const shifts = (["low", "middle", "high"] as const).map((range) => startingOctaves(instrument(74), range));
  expect(shifts).toEqual([2, 1, 1]);
});

/** Sings notes of some seconds with rests between; gives the octaves after each frame, and whether it was a note. */
function sing(choice: OctaveChoice, notes: readonly (readonly [midi: number, seconds: number])[]) {
  const octaves: number[] = [];
  const isNote: boolean[] = [];
  for (const [midi, seconds] of notes) {
    for (let t = 0; t < seconds * RATE; t++) {
      choice.learn(midi);
      octaves.push(choice.octaves);
      isNote.push(true);
    }
    for (let t = 0; t < 0.1 * RATE; t++) {
      choice.rest();
      octaves.push(choice.octaves);
      isNote.push(false);
    }
  }
  const changes = octaves.flatMap((value, t) => (t && value !== octaves[t - 1] ? [t] : []));
  return { octaves, changes, isNote };
}

test("the octave is corrected once at most, between notes, after two seconds of notes no more", () => {
  const choice = new OctaveChoice(instrument(72), RATE);
  choice.begin(3);
  const { changes, isNote, octaves } = sing(choice, [
    [60, 0.5],
    [62, 0.5],
    [36, 0.5],
    [36, 3],
    [36, 3],
  ]);
  expect(changes).toHaveLength(1);
  expect(changes.every((t) => !isNote[t])).toBe(true);
  expect((changes[0] as number) / RATE).toBeLessThan(2);
  expect(octaves.at(-1)).toBe(1);
});

test("a first note of any length keeps its octave to its end, and a choice that was right stays", () => {
  const choice = new OctaveChoice(instrument(72), RATE);
  choice.begin(0);
  expect(sing(choice, [[60, 5]]).changes).toEqual([5 * RATE]);
  choice.begin(1);
  const later = [60, 61, 84, 84, 84].map((midi) => [midi, 1] as const);
  expect(sing(choice, later).changes).toEqual([]);
});
