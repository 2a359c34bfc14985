import { describe, expect, test } from "vitest";
import type { Statistics } from "../../engine/src/bundle/manifest.ts";
import { adjust } from "../../engine/src/features/adjust.ts";
import { noteRatio } from "../../engine/src/features/notes.ts";
import { autoTune } from "../../engine/src/features/tuning.ts";
import { golden, missing } from "./shared.ts";

const absent = missing("golden");

/** An instrument of which only the mean pitch and the loudness quantiles matter. */
function instrument(quantiles: readonly number[], meanPitch: number): Statistics {
  const pitch = { mean: meanPitch, max: 90, min: 40, mean_max: 80, mean_min: 50, std: 5 };
  return { pitch, loudness: pitch, pitch_note: pitch, loudness_note: pitch, loudness_quantiles: quantiles };
}

const FLUTE = instrument(
  Array.from({ length: 101 }, (_, i) => -50 + 0.4 * i),
  74,
);

/** Notes that swell and fade, with silence between them. */
function voice(frames = 1000, midi = 50) {
  const seconds = (t: number) => t / 250;
  const sounding = (t: number) => seconds(t) % 2 < 1.5;
  const f0Hz = Float32Array.from(
    { length: frames },
    (_, t) => 440 * 2 ** ((midi + (Math.floor(t / 80) % 5) - 69) / 12),
  );
  const loudnessDb = f0Hz.map((_, t) => (sounding(t) ? -30 + 6 * Math.sin(5 * seconds(t)) : -75));
  return {
    f0Hz,
    loudnessDb,
    confidence: f0Hz.map((_, t) => (sounding(t) ? 0.97 : 0.1)),
    rms: loudnessDb.map((db) => 10 ** (db / 20)),
  };
}

describe.skipIf(absent)(`against ddsp${absent ? `: ${absent}` : ""}`, () => {
  const fixture = absent ? {} : golden("auto_adjust");
  const floats = (name: string) => Float32Array.from((fixture[name] as number[]).flat());
  const value = (name: string) => fixture[name] as unknown as number;
  const worst = (one: ArrayLike<number>, other: ArrayLike<number>) =>
    Array.from(one).reduce((most, x, i) => Math.max(most, Math.abs(x - (other[i] as number))), 0);

  for (const source of absent ? [] : ["low", "near", "high"]) {
    test(`a ${source} voice is moved as in the notebook`, () => {
      const statistics = instrument((fixture.stats_quantiles as number[]).flat(), value("stats_mean_pitch"));
      const loudnessDb = floats("source_loudness_db");
      const confidence = floats("source_f0_confidence");
      const features = { f0Hz: floats(`${source}_source_f0_hz`), loudnessDb, confidence, rms: confidence };
      const adjusted = adjust(features, statistics, {
        autotune: value("autotune"),
        quietDb: value("quiet_db"),
        octaveRule: "notebook",
      });
      expect([...adjusted.noteOn].map(Boolean)).toEqual(fixture.mask_on);
      expect(worst(noteRatio(loudnessDb, confidence), floats("note_on_value"))).toBeLessThan(1e-3);
      expect(adjusted.octaveShift).toBe(value(`${source}_octave_shift`));
      expect(adjusted.tuningFactor).toBeCloseTo(value(`${source}_tuning_factor`), 12);
      expect(worst(adjusted.loudnessDb, floats("loudness_db_out"))).toBeLessThan(1e-3);
      expect(worst(adjusted.f0Hz, floats(`${source}_f0_hz_out`))).toBeLessThan(1e-3);
      const midi = Float64Array.from(floats(`${source}_f0_midi`));
      const tuned = autoTune(midi, adjusted.tuningFactor, adjusted.noteOn, value("autotune"), true);
      const expected = floats(`${source}_auto_tune_chromatic_midi`);
      // Half-way between two semitones the fixture's own rounding chose.
      const sure = [...midi.keys()].filter((t) => {
        const distance = (((midi[t] as number) - adjusted.tuningFactor) % 1) - 0.5;
        return Math.abs(distance) > 1e-5;
      });
      expect(midi.length - sure.length).toBeLessThanOrEqual(3);
      expect(
        worst(
          sure.map((t) => tuned[t] as number),
          sure.map((t) => expected[t] as number),
        ),
      ).toBeLessThan(1e-3);
    });
  }
});

test("notes take the instrument's loudness in their own order, and silence gets quieter", () => {
  const features = voice();
  const { loudnessDb, noteOn } = adjust(features, FLUTE);
  const notes = [...loudnessDb].filter((_, t) => noteOn[t]);
  expect(Math.min(...notes)).toBeCloseTo(-50, 3);
  expect(Math.max(...notes)).toBeCloseTo(-10, 3);
  const own = [...features.loudnessDb].filter((_, t) => noteOn[t]);
  const order = (values: number[]) => values.map((_, i) => i).sort((a, b) => (own[a] as number) - (own[b] as number));
  const sorted = order(notes).map((i) => notes[i] as number);
  expect(sorted.every((db, i) => i === 0 || db >= (sorted[i - 1] as number))).toBe(true);
  expect(features.loudnessDb.every((db, t) => noteOn[t] || (loudnessDb[t] as number) <= db)).toBe(true);
});

test("the pitch moves by whole octaves, and shifts by hand come on top", () => {
  const features = voice();
  const plain = adjust(features, FLUTE);
  expect(plain.octaveShift).toBe(2); // 50 to 54 to where 74 is the mean; the notebook's rule rounds 1.8 down
  expect((plain.f0Hz[0] as number) / (features.f0Hz[0] as number)).toBeCloseTo(4, 5);
  expect(adjust(features, FLUTE, { octaveRule: "notebook" }).octaveShift).toBe(1);
  const byHand = adjust(features, FLUTE, { automatic: false, octaves: -1, loudnessDb: 3 });
  expect(byHand.octaveShift).toBe(0);
  expect((byHand.f0Hz[0] as number) / (features.f0Hz[0] as number)).toBeCloseTo(0.5, 5);
  expect((byHand.loudnessDb[0] as number) - (features.loudnessDb[0] as number)).toBeCloseTo(3, 5);
});

test("RMS goes with the loudness as in the instrument, whatever the voice's is; the shift by hand moves both", () => {
  const spread = { ...FLUTE.pitch, mean: -30 };
  const statistics = { ...FLUTE, loudness_note: spread, power_note: { ...spread, mean: -26 } };
  for (const options of [{}, { loudnessDb: -9 }, { automatic: false, loudnessDb: 3 }]) {
    const { rms, loudnessDb } = adjust(voice(), statistics, options);
    for (const [t, value] of rms.entries())
      expect(20 * Math.log10(value) - (loudnessDb[t] as number)).toBeCloseTo(4, 3);
    const bright = voice();
    const other = adjust({ ...bright, rms: bright.rms.map((one, t) => one * (1 + (t % 7))) }, statistics, options);
    expect(other.rms).toEqual(rms);
  }
});

test("without a note only the shifts by hand are made; what is no feature is refused", () => {
  const silent = { ...voice(10), loudnessDb: new Float32Array(10).fill(-80) };
  const adjusted = adjust(silent, FLUTE, { octaves: 1 });
  expect([adjusted.octaveShift, adjusted.tuningFactor, ...adjusted.noteOn]).toEqual(new Array(12).fill(0));
  expect(adjusted.f0Hz[0]).toBeCloseTo(2 * (silent.f0Hz[0] as number), 4);
  expect(() => adjust({ ...silent, rms: new Float32Array(3) }, FLUTE)).toThrow("rms has 3 frames, f0Hz has 10");
  expect(() => adjust({ ...silent, f0Hz: silent.f0Hz.map(() => Number.NaN) }, FLUTE)).toThrow("f0Hz holds a value");
});
