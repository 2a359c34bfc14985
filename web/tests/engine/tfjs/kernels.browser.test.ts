/** The kernels in a real Chromium, on SwiftShader: small sizes, against float64. */

import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "../../../chromium.ts";
import type { HarmonicSettings } from "../../../engine/src/tfjs/fused_harmonics.ts";
import { missing } from "../shared.ts";
import { Opened } from "./browser.ts";
import { goldenClips } from "./golden.ts";
import type { CumsumCase } from "./page.ts";
import { type Controls, referenceHarmonics, snrDb } from "./reference.ts";

const chromium = findChromium();
const isSkipped = chromium === null && process.env.CI !== "true";

const MELODY: HarmonicSettings = { hop: 64, sampleRate: 16000, envelope: "window" };

describe.skipIf(isSkipped)(
  `in Chromium${isSkipped ? " (none on the PATH, nor in SWARA_CHROMIUM)" : ""}`,
  { timeout: 60_000 },
  () => {
    let opened: Opened;
    const pages: Page[] = [];
    const faults: string[] = [];

    beforeAll(async () => {
      if (chromium === null) throw new Error("CI needs a Chromium on the PATH, or in SWARA_CHROMIUM");
      opened = await Opened.on(chromium, fileURLToPath(new URL("page.ts", import.meta.url)));
      for (const isFloat16 of [false, true]) {
        const page = await opened.page(faults);
        const bits = await page.evaluate((half) => globalThis.swaraTest.start(half), isFloat16);
        expect(bits < 16).toBe(isFloat16);
        pages.push(page);
      }
    }, 120_000);

    afterAll(async () => {
      await opened?.close();
      expect(faults).toEqual([]);
    });

    test.each<[string, Partial<HarmonicSettings>, number, number]>([
      ["window", {}, 101, 60],
      ["linear", { envelope: "linear" }, 100, 60],
      ["a hop that is no power of two", { hop: 320, envelope: "linear" }, 21, 100],
      ["an odd hop, an odd number of harmonics", { hop: 147, sampleRate: 44100 }, 30, 7],
      ["48 kHz", { hop: 192, sampleRate: 48000 }, 50, 100],
      ["more frames than a texture has rows", { hop: 8 }, 20_000, 2],
      ["one frame", {}, 1, 60],
      ["one harmonic", {}, 50, 1],
    ])("the fused bank is the harmonic synthesiser: %s", async (_, changed, frames, harmonics) => {
      const settings = { ...MELODY, ...changed };
      const controls = melody(frames, harmonics);
      const expected = referenceHarmonics(controls, settings);
      expect(snrDb(expected, await fused(0, controls, settings))).toBeGreaterThan(105);
      expect(snrDb(expected, await fused(1, controls, settings))).toBeGreaterThan(62);
    });

    test("the scanned bank is the same for the same pitch, given at every sample", async () => {
      const controls = melody(100, 60);
      const expected = referenceHarmonics(controls, MELODY);
      expect(snrDb(expected, await scanned(0, controls, MELODY))).toBeGreaterThan(100);
      expect(snrDb(expected, await scanned(1, controls, MELODY))).toBeGreaterThan(60);
    });

    const absent = missing("golden");
    test.skipIf(absent !== null).each([
      ["harmonic_k60_melody_window", "window"],
      ["harmonic_k100_sweep_window", "window"],
      ["harmonic_k20_high_window", "window"],
      ["harmonic_k1_low_linear", "linear"],
      ["harmonic_k60_hop320_linear", "linear"],
    ] as const)(
      `the fused bank sounds as ddsp does: %s${absent === null ? "" : ` (${absent})`}`,
      async (name, envelope) => {
        for (const { controls, settings, signal } of goldenClips(name, envelope)) {
          const samples = await fused(0, controls, settings);
          const off = samples.map((value, i) => Math.abs(value - (signal[i] ?? Number.NaN)));
          expect(Math.max(...off)).toBeLessThan(1e-2); // what ddsp's float32 itself is off
          expect(snrDb(signal, samples)).toBeGreaterThan(70);
        }
      },
    );

    test("nothing sounds at or above Nyquist", async () => {
      const distribution = new Float32Array(10 * 60).fill(1 / 60);
      const quiet = { amplitude: new Float32Array(10).fill(1), distribution, f0Hz: new Float32Array(10).fill(8000) };
      expect(new Set(await fused(0, quiet, MELODY))).toEqual(new Set([0]));
      // 40 x 200 Hz is Nyquist itself: it must be as silent as if it were not there.
      const low = { ...quiet, f0Hz: new Float32Array(10).fill(200) };
      const without = { ...low, distribution: distribution.map((value, i) => (i % 60 < 39 ? value : 0)) };
      expect(await fused(0, low, MELODY)).toEqual(await fused(0, without, MELODY));
    });

    test("what has the wrong shape is refused with a message", async () => {
      const controls = melody(10, 4);
      const wrong = { ...controls, f0Hz: controls.f0Hz.slice(1) };
      await expect(fused(0, wrong, MELODY)).rejects.toThrow(
        "f0 has 9 frames, so amplitude must be [9, 1] and not [10,1]",
      );
    });

    test.each<[string, Omit<CumsumCase, "values">]>([
      ["one row", { shape: [3000], axis: 0, exclusive: false, reverse: false }],
      ["exclusive", { shape: [1, 300], axis: 1, exclusive: true, reverse: false }],
      ["reverse", { shape: [300, 1], axis: 0, exclusive: false, reverse: true }],
      ["both, over the middle axis", { shape: [2, 70, 3], axis: 1, exclusive: true, reverse: true }],
      [
        "the last of four axes, counted from the end",
        { shape: [2, 1, 3, 40], axis: -1, exclusive: false, reverse: false },
      ],
      ["three values", { shape: [3], axis: 0, exclusive: false, reverse: false }],
    ])("a phase cumsum is the sum modulo one cycle: %s", async (_, one) => {
      const size = one.shape.reduce((product, length) => product * length, 1);
      const values = Float32Array.from({ length: size }, (_, i) => 2.5 + 2.4 * Math.sin(i * 1.7));
      const cycle = 2 * Math.PI;
      const sums = await cumsum(0, { ...one, values: [...values] }, cycle);
      const exact = exactCumsum([...values], one);
      const off = sums.map((sum, i) => circular((sum - (exact[i] ?? Number.NaN)) / cycle));
      expect(Math.max(...off)).toBeLessThan(2e-7);
      expect(Math.min(...sums)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...sums)).toBeLessThanOrEqual(cycle * (1 + 1e-6));
    });

    test("in float16 a phase cumsum stays right to what a float16 can hold, where the plain one overflows", async () => {
      const one = { values: new Array(4096).fill(64), shape: [4096], axis: 0, exclusive: false, reverse: false };
      expect((await cumsum(1, one, null)).every(Number.isFinite)).toBe(false);
      const off = (await cumsum(1, one, 1000)).map((sum, i) => circular((sum - (i + 1) * 64) / 1000));
      expect(Math.max(...off)).toBeLessThan(2 ** -11);
    });

    test("sums stay exact unless it is registered: before, after, and of whole numbers", async () => {
      const one = { values: [...new Array(200).keys()], shape: [200], axis: 0, exclusive: false, reverse: false };
      const exact = exactCumsum(one.values, one);
      await cumsum(0, one, 1);
      expect(await cumsum(0, one, null)).toEqual(exact);
      expect(await cumsum(0, one, 1, "int32")).toEqual(exact);
    });

    test("without a graphics card wasm is chosen", async () => {
      expect(await page(0).evaluate(() => globalThis.swaraTest.choose())).toBe("wasm");
      await page(0).evaluate(() => globalThis.swaraTest.use("webgl"));
    });

    describe("a clip", () => {
      const f0Hz = Array.from({ length: 40 }, (_, t) => 300 + 40 * Math.sin(t / 4));
      const loudnessDb = Array.from({ length: 40 }, (_, t) => -30 + 10 * Math.cos(t / 6));
      const plain: number[][] = [];

      beforeAll(async () => {
        for (const isLoop of [false, true]) {
          const clips = await page(0).evaluate(
            ([loop, features]) => globalThis.swaraTest.clips(loop, features, { synthesiser: "js", seed: 3 }, 1),
            [isLoop, { f0Hz, loudnessDb }] as const,
          );
          plain.push(clips.samples);
        }
      });

      test.each<[string, "webgl" | "wasm", boolean, boolean]>([
        ["webgl", "webgl", false, false],
        ["webgl", "webgl", true, false],
        ["webgl", "wasm", false, true],
        ["wasm", "wasm", false, false],
        ["wasm", "wasm", true, false],
      ])(
        "controls on %s, sound by %s, loop %s, textures kept %s: the sound of plain JavaScript, nothing left",
        async (backend, synthesiser, isLoop, keepTextures) => {
          await page(0).evaluate((name) => globalThis.swaraTest.use(name), backend);
          const before = await page(0).evaluate(() => globalThis.swaraTest.held());
          const { samples, tensors, bytes } = await page(0).evaluate(
            ([loop, features, options]) => globalThis.swaraTest.clips(loop, features, options, 50),
            [isLoop, { f0Hz, loudnessDb }, { synthesiser, keepTextures, seed: 3 }] as const,
          );
          expect(samples.length).toBe(40 * 64 + 299);
          expect(snrDb(plain[Number(isLoop)] ?? [], samples)).toBeGreaterThan(90);
          expect(new Set(tensors).size).toBe(1);
          expect(new Set(bytes.slice(2)).size).toBe(1);
          expect(await page(0).evaluate(() => globalThis.swaraTest.held())).toEqual(before);
        },
      );

      test("a gain is the same wherever the clip is played, and leaves silence where it is 0", async () => {
        const gain = f0Hz.map((_, t) => (t < 20 ? 1 : t === 20 ? 0.4 : 0));
        const given = { f0Hz, loudnessDb, gain };
        const ways = [];
        for (const synthesiser of ["js", "wasm", "webgl"] as const) {
          await page(0).evaluate((name) => globalThis.swaraTest.use(name), synthesiser === "webgl" ? "webgl" : "wasm");
          const before = await page(0).evaluate(() => globalThis.swaraTest.held());
          const { samples } = await page(0).evaluate(
            ([features, options]) => globalThis.swaraTest.clips(false, features, options, 1),
            [given, { synthesiser, seed: 3, reverb: false }] as const,
          );
          expect(await page(0).evaluate(() => globalThis.swaraTest.held())).toEqual(before);
          ways.push(samples);
        }
        const [js = [], wasm = [], webgl = []] = ways;
        expect(snrDb(js, wasm)).toBeGreaterThan(90);
        expect(snrDb(js, webgl)).toBeGreaterThan(90);
        expect(Math.max(...js.slice(0, 20 * 64).map(Math.abs))).toBeGreaterThan(0.01);
        for (const samples of ways) expect(Math.max(...samples.slice(24 * 64).map(Math.abs))).toBe(0);
      });

      test("the webgl synthesiser reports where it cannot run", async () => {
        await page(0).evaluate(() => globalThis.swaraTest.use("wasm"));
        const clip = (options: object) =>
          page(0).evaluate(([features, how]) => globalThis.swaraTest.clips(false, features, how, 1), [
            { f0Hz, loudnessDb },
            options,
          ] as const);
        await expect(clip({ synthesiser: "webgl" })).rejects.toThrow("the current backend is wasm");
        await page(0).evaluate(() => globalThis.swaraTest.use("webgl"));
        await expect(clip({ sampleRate: 44100 })).rejects.toThrow("44100 Hz is requested, the bundle has 16000 Hz");
      });
    });

    test("nothing is left on the GPU", async () => {
      for (const page of pages) {
        expect(await page.evaluate(() => globalThis.swaraTest.held())).toEqual({ tensors: 0, bytes: 0 });
      }
    });

    function page(index: number): Page {
      const found = pages[index];
      if (found === undefined) throw new Error(`no page ${index}`);
      return found;
    }

    function fused(index: number, { amplitude, distribution, f0Hz }: Controls, settings: HarmonicSettings) {
      const bank = { amplitude: [...amplitude], distribution: [...distribution], hz: [...f0Hz] };
      return page(index).evaluate(([one, how]) => globalThis.swaraTest.fused(one, how), [bank, settings] as const);
    }

    function scanned(index: number, { amplitude, distribution, f0Hz }: Controls, settings: HarmonicSettings) {
      const { hop } = settings;
      const hz = Array.from({ length: f0Hz.length * hop }, (_, i) => {
        const here = f0Hz[Math.floor(i / hop)] ?? 0;
        return here + (((f0Hz[Math.floor(i / hop) + 1] ?? here) - here) * (i % hop)) / hop;
      });
      const bank = { amplitude: [...amplitude], distribution: [...distribution], hz };
      return page(index).evaluate(([one, how]) => globalThis.swaraTest.scanned(one, how), [bank, settings] as const);
    }

    function cumsum(index: number, one: CumsumCase, cycle: number | null, dtype: "float32" | "int32" = "float32") {
      return page(index).evaluate(([a, b, c]) => globalThis.swaraTest.cumsum(a, b, c), [one, cycle, dtype] as const);
    }
  },
);

/** A gliding tone with a tail of harmonics, some of which cross Nyquist on the way. */
function melody(frames: number, harmonics: number): Controls {
  const f0Hz = Float32Array.from({ length: frames }, (_, t) => 330 * 2 ** (0.8 * Math.sin(t / 11)) + t / 3);
  const amplitude = Float32Array.from({ length: frames }, (_, t) => 0.6 + 0.4 * Math.cos(t / 5));
  const distribution = Float32Array.from({ length: frames * harmonics }, (_, i) => {
    const k = (i % harmonics) + 1;
    return (1 + Math.sin(i * 0.7)) / k;
  });
  return { amplitude, distribution, f0Hz };
}

/** The definition, one value at a time. */
function exactCumsum(values: readonly number[], one: Omit<CumsumCase, "values">): number[] {
  const axis = one.axis < 0 ? one.axis + one.shape.length : one.axis;
  const length = one.shape[axis] ?? 1;
  const inner = one.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  return values.map((_, at) => {
    const along = Math.floor(at / inner) % length;
    const first = at - along * inner;
    const isSummed = (i: number) => (i === along ? !one.exclusive : one.reverse ? i > along : i < along);
    let sum = 0;
    for (let i = 0; i < length; i++) if (isSummed(i)) sum += values[first + i * inner] ?? 0;
    return sum;
  });
}

/** How far a phase is from the nearest whole number of cycles. */
function circular(cycles: number): number {
  return Math.abs(cycles - Math.round(cycles));
}
