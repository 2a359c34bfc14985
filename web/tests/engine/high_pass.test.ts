import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { analyse } from "../../engine/src/features/analyse.ts";
import { HighPass } from "../../engine/src/filters/high_pass.ts";
import { missingPython, PYTHON, ROOT } from "./shared.ts";
import { random } from "./signals.ts";
import { smallInstrument } from "./small_bundle.ts";

/** Noise with an offset, so that the beginning counts. */
function signal(rate: number): Float32Array {
  return Float32Array.from(random(rate), (value) => 0.1 * value + 0.2);
}

function filtered(audio: Float32Array, rate: number, block: number): Float32Array {
  const filter = new HighPass(rate);
  const out = new Float32Array(audio.length);
  for (let at = 0; at < audio.length; at += block) {
    filter.process(audio.subarray(at, at + block), out.subarray(at, at + block));
  }
  return out;
}

describe.skipIf(missingPython())("beside training's filter", () => {
  for (const rate of [16000, 44100, 48000]) {
    test(`at ${rate} Hz the samples are the same`, () => {
      const program =
        "import sys, numpy as np; from data.files.high_pass import HighPass;" +
        `sys.stdout.buffer.write(HighPass(${rate})(np.frombuffer(sys.stdin.buffer.read(), '<f4')).astype('<f4').tobytes())`;
      const input = signal(rate);
      const made = execFileSync(PYTHON, ["-c", program], { cwd: ROOT, input: new Uint8Array(input.buffer) });
      const expected = new Float32Array(new Uint8Array(made).buffer);
      const ours = filtered(input, rate, input.length);
      expect(expected).toHaveLength(ours.length);
      expect(Math.max(...ours.map((value, at) => Math.abs(value - (expected[at] as number))))).toBeLessThan(1e-6);
    });
  }
});

test("the length of blocks changes nothing", () => {
  const audio = signal(48000);
  expect(filtered(audio, 48000, 128)).toEqual(filtered(audio, 48000, 4096));
});

test("an offset and a rumble change neither pitch nor loudness", async () => {
  const instrument = await smallInstrument();
  const rate = 48000;
  const tone = Float32Array.from({ length: rate }, (_, i) => {
    const phase = (2 * Math.PI * 220 * i) / rate;
    return 0.1 * (Math.sin(phase) + Math.sin(2 * phase) / 2 + Math.sin(3 * phase) / 3 + Math.sin(4 * phase) / 4);
  });
  const moved = tone.map((value, i) => value + 0.2 + 0.1 * Math.sin((2 * Math.PI * 8 * i) / rate));
  const [clean, rumbling] = [await analyse(tone, rate, instrument), await analyse(moved, rate, instrument)];
  for (let t = 50; t < 250; t++) {
    expect(Math.abs(1200 * Math.log2((rumbling.f0Hz[t] as number) / (clean.f0Hz[t] as number)))).toBeLessThan(10);
    expect(Math.abs((rumbling.loudnessDb[t] as number) - (clean.loudnessDb[t] as number))).toBeLessThan(0.2);
    expect(rumbling.confidence[t]).toBeGreaterThan(0.5);
  }
});

test("what is voiced does not depend on level", async () => {
  const instrument = await smallInstrument();
  const hiss = random(16000, 5);
  const sound = Float32Array.from({ length: 16000 }, (_, i) => {
    const sung = (i / 4000) % 2 < 1 ? 0.2 * Math.sin((2 * Math.PI * 180 * i) / 16000) : 0;
    return sung + 0.005 * (hiss[i] as number);
  });
  const voiced = await Promise.all(
    [1, 0.1, 0.01, 0.001].map(async (level) => {
      const { confidence } = await analyse(
        sound.map((value) => value * level),
        16000,
        instrument,
      );
      return confidence.filter((sure) => sure >= 0.5).length;
    }),
  );
  expect(voiced[0]).toBeGreaterThan(100);
  expect(voiced[0]).toBeLessThan(160);
  for (const count of voiced) expect(Math.abs(count - (voiced[0] as number))).toBeLessThanOrEqual(5);
});
