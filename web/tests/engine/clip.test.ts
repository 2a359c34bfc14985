import { expect, test } from "vitest";
import { controlsInJs } from "../../engine/src/clip/js_network.ts";
import { controlsOf, renderClip, synthesise } from "../../engine/src/clip/render.ts";
import { gateGains } from "../../engine/src/features/gate.ts";
import { resampleImpulseResponse } from "../../engine/src/synthesis/impulse_response.ts";
import { melody, random, snrDb } from "./signals.ts";
import { smallInstrument } from "./small_bundle.ts";

for (const recipe of [
  { architecture: "cnn", dtype: "float16" },
  { architecture: "gru", dtype: "uint8", inputs: ["rms", "loudness"] },
  { architecture: "cnn", dtype: "uint8", hold: 4 },
] as const) {
  test(`the ${recipe.architecture} in ${recipe.dtype} gives the same controls on the kernels as in float64`, async () => {
    const instrument = await smallInstrument(recipe);
    const features = melody(300);
    const fast = await controlsOf(instrument, features);
    const exact = controlsInJs(instrument.manifest, instrument.tensors, features);
    expect(snrDb(exact.values, fast.values)).toBeGreaterThan(120);
  });
}

for (const [rate, envelope, frameRate] of [
  [16000, "window", 250],
  [16000, "linear", 50],
  [44100, "window", 250],
  [48000, "linear", 250],
] as const) {
  test(`at ${rate} Hz and ${frameRate} frames (${envelope}) the kernels sound like float64`, async () => {
    const instrument = await smallInstrument({ harmonics: 100, taps: 0, envelope, frameRate });
    const controls = controlsInJs(instrument.manifest, instrument.tensors, melody(frameRate, frameRate));
    const fast = await synthesise(instrument, controls, { sampleRate: rate });
    const exact = await synthesise(instrument, controls, { sampleRate: rate, synthesiser: "js" });
    expect(fast).toHaveLength(rate);
    expect(snrDb(exact, fast)).toBeGreaterThan(120);
  });
}

test("the reverb is the same through the kernels as in float64, and rings out", async () => {
  const instrument = await smallInstrument({ taps: 3000 });
  const fast = await renderClip(instrument, melody(250));
  const exact = await renderClip(instrument, melody(250), { synthesiser: "js" });
  expect(fast).toHaveLength(16000 + 3000 - 1);
  expect(snrDb(exact, fast)).toBeGreaterThan(90);
});

for (const [rate, envelope] of [
  [16000, "window"],
  [48000, "linear"],
] as const) {
  test(`at ${rate} Hz a gain sounds the same on the kernels as in float64, and is silence where it is 0`, async () => {
    const instrument = await smallInstrument({ taps: 0, envelope });
    const gain = Float32Array.from({ length: 250 }, (_, t) => (t < 100 ? 1 : Math.max(0, 1 - (t - 100) / 12)));
    const features = { ...melody(250), gain };
    const fast = await renderClip(instrument, features, { sampleRate: rate });
    const exact = await renderClip(instrument, features, { sampleRate: rate, synthesiser: "js" });
    expect(snrDb(exact, fast)).toBeGreaterThan(100);
    const full = await renderClip(instrument, melody(250), { sampleRate: rate });
    expect(fast.subarray(0, 0.39 * rate)).toEqual(full.subarray(0, 0.39 * rate));
    for (const sound of [fast, exact]) expect(new Set(sound.subarray(0.47 * rate))).toEqual(new Set([0]));
    const short = { ...features, gain: gain.subarray(1) };
    await expect(renderClip(instrument, short)).rejects.toThrow("differ in length");
  });
}

test("the gate holds, opens and closes as it does live", () => {
  const loudness = Float32Array.from({ length: 100 }, (_, t) => (t < 10 ? -70 : t < 30 ? -30 : t < 60 ? -46 : -70));
  const gains = gateGains(loudness, -45, 250);
  expect(Array.from(gains.subarray(9, 13), (gain) => Number(gain.toFixed(3)))).toEqual([0, 0.5, 1, 1]);
  expect(new Set(gains.subarray(12, 75))).toEqual(new Set([1])); // within 3 dB it stays open, and 60 ms more
  expect(gains[75]).toBeLessThan(1);
  expect(gains[95]).toBe(0);
});

test("a room at another rate is the same room", () => {
  const taps = Float32Array.from(random(4000, 2), (value, i) => value * Math.exp(-i / 800));
  const power = (values: Float32Array) => values.reduce((sum, value) => sum + value ** 2, 0);
  for (const [rate, share] of [
    [48000, 1],
    [44100, 1],
    [8000, 0.5], // half of the band is left
  ] as const) {
    const other = resampleImpulseResponse(taps, 16000, rate);
    expect(other).toHaveLength(Math.ceil((4000 * rate) / 16000));
    // At another rate a sum of samples stands for a longer or shorter time.
    expect((power(other) * rate) / 16000 / power(taps)).toBeCloseTo(share, 1);
  }
  const click = new Float32Array(100);
  click[50] = 1;
  const wide = resampleImpulseResponse(click, 16000, 48000);
  expect(wide[150]).toBeCloseTo(1 / 3, 2);
  expect(wide.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 2); // so that a steady tone is as loud
});

test("the same seed sounds the same, another one does not, and nothing sounds like nothing", async () => {
  const instrument = await smallInstrument({ taps: 0 });
  const [one, again, other] = await Promise.all([4, 4, 5].map((seed) => renderClip(instrument, melody(50), { seed })));
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
  const empty = { f0Hz: new Float32Array(0), loudnessDb: new Float32Array(0), rms: new Float32Array(0) };
  await expect(renderClip(instrument, empty)).rejects.toThrow("no frames");
  await expect(renderClip(instrument, { ...melody(5), rms: new Float32Array(4) })).rejects.toThrow("differ in length");
});

test("a long clip reports its progress and can be aborted", async () => {
  const instrument = await smallInstrument({ harmonics: 100 });
  const shares: number[] = [];
  await renderClip(instrument, melody(250), { onProgress: (share) => shares.push(share) });
  expect(shares.at(-1)).toBe(1);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(renderClip(instrument, melody(25000), { signal })).rejects.toThrow("enough");
});
