/** Filtered noise whose bands are spaced as ears are: the same as in NumPy, and at any rate the same spectrum. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Processor } from "../../engine/src/bundle/manifest.ts";
import { synthesise } from "../../engine/src/clip/render.ts";
import type { NoisePart } from "../../engine/src/synthesis/chain.ts";
import { designNoise } from "../../engine/src/synthesis/filter_design.ts";
import { Synthesiser } from "../../engine/src/synthesis/synthesiser.ts";
import { Block, createKernels } from "../../engine/src/wasm/kernels.ts";
import { missingPython, PYTHON, ROOT } from "./shared.ts";
import { random, snrDb } from "./signals.ts";
import { smallBundle, smallInstrument } from "./small_bundle.ts";

const noPython = missingPython();

function node(spacing: "linear" | "erb", bands: number): Processor {
  return { name: "noise", type: "filtered_noise", bands, spacing };
}

function magnitudesOf(frames: number, bands: number): Float32Array {
  return Float32Array.from(random(frames * bands, 3), (x, i) => (1 + x) * 0.9 ** (i % bands));
}

describe.skipIf(noPython)(`against NumPy${noPython ? `: ${noPython}` : ""}`, () => {
  for (const [sampleRate, spacing, bands] of [
    [16000, "erb", 20],
    [32000, "erb", 33],
    [48000, "erb", 40],
    [48000, "erb", 193],
    [48000, "linear", 40],
  ] as const) {
    test(`${bands} ${spacing} bands at ${sampleRate} Hz`, async () => {
      const processor = node(spacing, bands);
      const instrument = await smallInstrument({ processors: [processor], taps: 0, sampleRate });
      const { audio } = instrument.manifest;
      const frames = 60;
      const white = random(frames * audio.hop, 4);
      const values = magnitudesOf(frames, bands);
      const rows = Array.from({ length: frames }, (_, t) => [...values.subarray(t * bands, (t + 1) * bands)]);
      const request = { node: processor, audio, magnitudes: rows, noise: [...white] };
      const script = join(ROOT, "web/tests/engine/reference_noise.py");
      const options = { input: JSON.stringify(request), env: { ...process.env, PYTHONPATH: ROOT }, maxBuffer: 1 << 28 };
      const expected = JSON.parse(execFileSync(PYTHON, [script], options).toString()) as number[];
      const controls = { frames, width: bands, values, f0Hz: new Float32Array(frames).fill(440) };
      for (const synthesiser of ["wasm", "js"] as const) {
        let at = 0;
        const noise = {
          fill: (block: Float32Array, count: number) => {
            for (let i = 0; i < count; i++) block[i] = white[at++] ?? 0;
          },
        };
        expect(snrDb(expected, await synthesise(instrument, controls, { synthesiser, noise }))).toBeGreaterThan(80);
      }
    }, 30_000);
  }
});

/** Level in dB of what a filter makes of white noise, in a band of fixed width around hz. */
function levelDb(response: Float64Array, rate: number, hz: number): number {
  let [re, im] = [0, 0];
  for (const [tap, value] of response.entries()) {
    re += value * Math.cos((2 * Math.PI * hz * tap) / rate);
    im += value * Math.sin((2 * Math.PI * hz * tap) / rate);
  }
  return 10 * Math.log10((re * re + im * im) / rate + 1e-20);
}

for (const own of [16000, 32000, 48000]) {
  test(`at 44100 Hz noise of ${own} Hz has the same spectrum, and nothing above its Nyquist`, () => {
    const bands = 24;
    const part: NoisePart = { bands, spacing: "erb", magnitudes: "noise_magnitudes", gain: 1 };
    const responseAt = (rate: number) => {
      const rates = { own, rate, frameRate: 250, nyquist: Math.min(own, rate) / 2, longest: Math.ceil(rate / 250) };
      const { matrix, taps, delay } = designNoise(part, rates);
      expect(delay / rate).toBeCloseTo(1 / 250 - 2 / own, 4);
      return Float64Array.from({ length: taps }, (_, tap) => {
        const each = Array.from({ length: bands }, (_, band) => 0.85 ** band * (matrix[band * taps + tap] as number));
        return each.reduce((sum, value) => sum + value, 0);
      });
    };
    const [wanted, found] = [responseAt(own), responseAt(44100)];
    const nyquist = Math.min(own, 44100) / 2;
    for (let hz = 0; hz < nyquist - 500; hz += 50) {
      expect(Math.abs(levelDb(found, 44100, hz) - levelDb(wanted, own, hz))).toBeLessThan(0.1);
    }
    for (let hz = own / 2 + 500; hz < 22050; hz += 50) {
      expect(levelDb(found, 44100, hz)).toBeLessThan(levelDb(wanted, own, 0) - 50);
    }
  });
}

test("at 44100 Hz WebAssembly and plain JavaScript make the same noise", async () => {
  const [frames, bands] = [200, 24];
  const instrument = await smallInstrument({ processors: [node("erb", bands)], taps: 0, sampleRate: 48000 });
  const f0Hz = new Float32Array(frames).fill(440);
  const controls = { frames, width: bands, values: magnitudesOf(frames, bands), f0Hz };
  const [one, other] = await Promise.all(
    (["wasm", "js"] as const).map((synthesiser) =>
      synthesise(instrument, controls, { synthesiser, sampleRate: 44100, seed: 3 }),
    ),
  );
  expect(snrDb(one ?? [], other ?? [])).toBeGreaterThan(80);
});

test("its delay is one hop, with any number of bands up to those of the grid", async () => {
  for (const sampleRate of [16000, 32000, 48000]) {
    for (const bands of [3, 20, sampleRate / 250]) {
      const instrument = await smallInstrument({ processors: [node("erb", bands)], taps: 0, sampleRate });
      const kernels = await createKernels();
      const controls = new Block(kernels, bands + 4);
      const source = { fill: () => undefined };
      expect(new Synthesiser(kernels, instrument.manifest, 44100, controls, source).frames).toBe(1);
    }
  }
});

test("a spacing that this engine does not know is refused", async () => {
  const unknown = { ...node("erb", 9), spacing: "bark" } as unknown as Processor;
  expect(() => smallBundle({ processors: [unknown], taps: 0 })).toThrow("synthesiser: no spacing bark of noise bands");
});
