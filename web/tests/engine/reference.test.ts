import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Processor } from "../../engine/src/bundle/manifest.ts";
import type { Controls } from "../../engine/src/clip/controls.ts";
import { controlsOf, renderClip, synthesise } from "../../engine/src/clip/render.ts";
import { outputIndices } from "../../engine/src/synthesis/synthesiser.ts";
import { golden, missing, missingPython, PYTHON, ROOT } from "./shared.ts";
import { melody, snrDb } from "./signals.ts";
import { type Recipe, smallBundle, smallInstrument } from "./small_bundle.ts";

const noPython = missingPython();
const noGolden = missing("golden");

describe.skipIf(noPython)(`against the network in NumPy${noPython ? `: ${noPython}` : ""}`, () => {
  const recipes: Recipe[] = [
    { architecture: "cnn", width: 10 },
    { architecture: "cnn", width: 64, dtype: "uint8", inputs: ["rms", "loudness"], harmonics: 60 },
    { architecture: "gru", width: 24, dtype: "float16" },
    { architecture: "gru", width: 7, inputs: ["loudness", "rms"] },
    { architecture: "gru", width: 7, hold: 2 },
  ];
  for (const recipe of recipes) {
    test(JSON.stringify(recipe), async () => {
      const { manifest, tensors, ...rest } = await smallInstrument(recipe);
      const features = { ...melody(200, 250, 900) }; // harmonics beyond Nyquist
      const arrays = Object.fromEntries([...tensors].map(([name, values]) => [name, [...values]]));
      const inputs = { f0_hz: features.f0Hz, loudness_db: features.loudnessDb, rms_energy: features.rms };
      const request = {
        network: manifest.network,
        audio: manifest.audio,
        arrays,
        features: Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, [...values]])),
      };
      const script = join(ROOT, "web/tests/engine/reference_controls.py");
      const env = { ...process.env, PYTHONPATH: ROOT };
      const options = { input: JSON.stringify(request), env, maxBuffer: 1 << 28 };
      const expected = JSON.parse(execFileSync(PYTHON, [script], options).toString()) as Record<string, number[][]>;
      const controls = await controlsOf({ manifest, tensors, ...rest }, features);
      const index = outputIndices(manifest);
      for (const { name, channels } of manifest.network.outputs) {
        const own = expected[name]?.flatMap((_, t) => {
          const start = t * controls.width + index(name);
          return [...controls.values.subarray(start, start + channels)];
        });
        expect(snrDb(expected[name]?.flat() ?? [], own ?? [])).toBeGreaterThan(100);
      }
    }, 30_000);
  }
});

describe.skipIf(noPython)(`against the player in Python${noPython ? `: ${noPython}` : ""}`, () => {
  test.each<Recipe>([
    { architecture: "cnn", width: 24, dtype: "float16", taps: 3000, sampleRate: 48000, harmonics: 60 },
    { architecture: "gru", width: 16, dtype: "float16", taps: 3000, hold: 2, inputs: ["rms", "loudness"] },
  ])("the same bundle, features and seed give the same sound: %j", async (recipe) => {
    const folder = mkdtempSync(join(tmpdir(), "swara-bundle-"));
    try {
      for (const [path, bytes] of smallBundle(recipe).files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), bytes);
      }
      const features = melody(400, 250, 900);
      const request = {
        bundle: folder,
        f0_hz: [...features.f0Hz],
        loudness_db: [...features.loudnessDb],
        rms_energy: [...features.rms],
      };
      const script = join(ROOT, "web/tests/engine/python_player.py");
      const env = { ...process.env, PYTHONPATH: ROOT };
      const made = execFileSync(PYTHON, [script], { input: JSON.stringify(request), env, maxBuffer: 1 << 28 });
      const own = new Float32Array(made.buffer.slice(made.byteOffset, made.byteOffset + made.byteLength));
      const rendered = await renderClip(await smallInstrument(recipe), features, { seed: 7 });
      expect(own).toHaveLength(rendered.length);
      expect(snrDb(rendered, own)).toBeGreaterThan(80);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(noGolden)(`against ddsp${noGolden ? `: ${noGolden}` : ""}`, () => {
  /** Sounds one synthesiser alone from given controls. */
  async function sound(processor: Processor, hop: number, rows: number[][], f0: number[], noise: number[]) {
    const recipe = { processors: [processor], taps: 0, frameRate: 16000 / hop };
    const instrument = await smallInstrument(recipe);
    const [frames, width] = [rows.length, rows[0]?.length ?? 0];
    const controls: Controls = { frames, width, values: Float32Array.from(rows.flat()), f0Hz: Float32Array.from(f0) };
    const one = (synthesiser: "wasm" | "js") => {
      let at = 0;
      const source = {
        fill: (values: Float32Array, count: number) => {
          for (let i = 0; i < count; i++) values[i] = noise[at++] ?? 0;
        },
      };
      return synthesise(instrument, controls, { synthesiser, noise: source });
    };
    return [await one("wasm"), await one("js")] as const;
  }

  const worst = (one: ArrayLike<number>, other: ArrayLike<number>) =>
    Array.from(one).reduce((most, value, i) => Math.max(most, Math.abs(value - (other[i] as number))), 0);

  for (const [name, envelope, harmonics, hop] of [
    ["harmonic_k60_melody_window", "window", 60, 64],
    ["harmonic_k100_sweep_window", "window", 100, 64],
    ["harmonic_k20_high_window", "window", 20, 64],
    ["harmonic_k1_low_linear", "linear", 1, 64],
    ["harmonic_k60_hop320_linear", "linear", 60, 320],
  ] as const) {
    test(name, async () => {
      const fixture = golden(name) as unknown as Record<string, number[][][]>;
      const amplitudes = fixture.amplitudes?.[0] as number[][];
      const rows = amplitudes.map((row, t) => [...row, ...(fixture.harmonic_distribution?.[0]?.[t] ?? [])]);
      const f0 = fixture.f0_hz?.[0]?.flat() ?? [];
      const expected = fixture.signal_float64?.[0] as unknown as number[];
      for (const made of await sound({ name: "harmonic", type: "harmonic", harmonics, envelope }, hop, rows, f0, [])) {
        expect(made).toHaveLength(expected.length);
        expect(worst(expected, made)).toBeLessThan(1e-2);
      }
    });
  }

  for (const [name, prefix, bands] of [
    ["filtered_noise_65", "", 65],
    ["filtered_noise_other", "win0_b33_", 33],
    ["filtered_noise_other", "win0_b9_", 9],
  ] as const) {
    test(`${name} ${prefix}`, async () => {
      const fixture = golden(name) as unknown as Record<string, number[][][]>;
      const rows = fixture[`${prefix}magnitudes`]?.[0] as number[][];
      const expected = fixture[`${prefix}signal`]?.[0] as unknown as number[];
      const noise = fixture[`${prefix}white_noise`]?.[0] as unknown as number[];
      const hop = expected.length / rows.length;
      const f0 = rows.map(() => 440);
      for (const made of await sound({ name: "noise", type: "filtered_noise", bands }, hop, rows, f0, noise)) {
        expect(snrDb(expected, made)).toBeGreaterThan(80);
      }
    });
  }
});
