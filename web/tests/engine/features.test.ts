import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analyse, bridgeGaps } from "../../engine/src/features/analyse.ts";
import { missing, PYTHON, ROOT, SHARED } from "./shared.ts";
import { random } from "./signals.ts";
import { smallInstrument } from "./small_bundle.ts";

const absent = missing("recordings/voice");

describe.skipIf(absent)(`on voices${absent ? `: ${absent}` : ""}`, () => {
  const voices = join(SHARED, "recordings/voice");
  const names = absent ? [] : readdirSync(voices).filter((name) => name.endsWith(".flac"));
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "voices-"));
    const script = join(ROOT, "web/tests/engine/reference_features.py");
    const recordings = names.map((name) => join(voices, name));
    execFileSync(PYTHON, [script, folder, ...recordings], { cwd: ROOT, env: { ...process.env, PYTHONPATH: ROOT } });
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  const stored = (number: number, what: string | number) =>
    new Float32Array(new Uint8Array(readFileSync(join(folder, `${number}-${what}.f32`))).buffer);

  for (const [number, name] of names.entries()) {
    for (const rate of [16000, 44100, 48000]) {
      test(`${name} at ${rate} Hz: pitch, loudness and RMS are those of training`, async () => {
        const features = await analyse(stored(number, rate), rate, await smallInstrument());
        const confidence = stored(number, "confidence");
        const cents = [...stored(number, "f0")]
          .map((hz, t) => Math.abs(1200 * Math.log2((features.f0Hz[t] as number) / hz)))
          .filter((_, t) => (confidence[t] as number) >= 0.5)
          .sort((a, b) => a - b);
        expect(cents[cents.length >> 1]).toBeLessThan(20);
        expect(cents.filter((error) => error < 50).length / cents.length).toBeGreaterThan(0.93);
        const loudness = stored(number, "loudness");
        expect(worst(loudness, features.loudnessDb)).toBeLessThan(0.5);
        const decibels = (rms: Float32Array) => rms.map((value) => 20 * Math.log10(value + 1e-4));
        expect(worst(decibels(stored(number, "rms")), decibels(features.rms))).toBeLessThan(0.5);
      });
    }
  }
});

/** The greatest difference. */
function worst(one: Float32Array, other: Float32Array): number {
  expect(other).toHaveLength(one.length);
  return one.reduce((most, value, t) => Math.max(most, Math.abs(value - (other[t] as number))), 0);
}

/** A tone of eight harmonics that glides, and noise beside it. */
function tone(rate: number, hz: (seconds: number) => number, noise: number): Float32Array {
  let phase = 0;
  const hiss = random(rate);
  return Float32Array.from({ length: rate }, (_, i) => {
    phase += hz(i / rate) / rate;
    let sum = 0;
    for (let k = 1; k <= 8; k++) sum += Math.sin(2 * Math.PI * k * phase) / k;
    return 0.1 * sum + noise * (hiss[i] as number);
  });
}

for (const [sampleRate, rate] of [
  [16000, 48000],
  [32000, 44100],
  [48000, 48000],
] as const) {
  test(`a bundle of ${sampleRate} Hz analyses a tone from a context of ${rate} Hz`, async () => {
    const glide = (seconds: number) => 110 * 2 ** (2 * seconds);
    const features = await analyse(tone(rate, glide, 0.001), rate, await smallInstrument({ sampleRate }));
    expect(features.f0Hz).toHaveLength(250);
    const cents = [...features.f0Hz].map((hz, t) => Math.abs(1200 * Math.log2(hz / glide(t / 250)))).slice(10, 240);
    expect(Math.max(...cents)).toBeLessThan(30);
    expect(features.confidence.slice(10, 240).every((sure) => sure > 0.9)).toBe(true);
  });
}

test("a tone is found under noise 10 dB below it, noise alone and silence have no pitch", async () => {
  const instrument = await smallInstrument();
  const noisy = await analyse(
    tone(16000, () => 330, 0.075),
    16000,
    instrument,
  );
  const right = noisy.f0Hz.filter((hz) => Math.abs(1200 * Math.log2(hz / 330)) < 50);
  expect(right.length).toBeGreaterThan(240);
  for (const level of [0, 0.1]) {
    const noise = Float32Array.from(random(16000, 3), (value) => value * level);
    const { confidence, f0Hz, loudnessDb } = await analyse(noise, 16000, instrument);
    expect(confidence.filter((sure) => sure >= 0.5).length).toBeLessThan(25);
    expect(f0Hz.every((hz) => hz > 0)).toBe(true);
    if (!level) expect(loudnessDb.every((db) => db === -80)).toBe(true);
  }
});

test("a sound shorter than a frame is refused, and one that holds what is no number", async () => {
  const instrument = await smallInstrument();
  await expect(analyse(new Float32Array(63), 16000, instrument)).rejects.toThrow("shorter than a frame");
  for (const broken of [Number.NaN, Number.NEGATIVE_INFINITY, 1e30]) {
    const audio = new Float32Array(16000).with(123, broken);
    await expect(analyse(audio, 16000, instrument)).rejects.toThrow(
      `sample 123 of the audio is ${Math.fround(broken)}`,
    );
  }
});

test("gaps are bridged in octaves and held at the ends", () => {
  const f0Hz = Float32Array.from([0, 100, 0, 400, 0]);
  bridgeGaps(f0Hz, Float32Array.from([0, 1, 0, 1, 0]));
  expect([...f0Hz].map(Math.round)).toEqual([100, 100, 200, 400, 400]);
  const none = new Float32Array(2);
  bridgeGaps(none, new Float32Array(2));
  expect([...none]).toEqual([440, 440]);
});
