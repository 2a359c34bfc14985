import { expect, test } from "vitest";
import { transform } from "../../engine/src/clip/js_fft.ts";
import { aWeightingDb, LoudnessMeter } from "../../engine/src/features/loudness.ts";
import { rootsOf } from "../../engine/src/wasm/fourier.ts";
import { Block, blockOf, createKernels } from "../../engine/src/wasm/kernels.ts";
import { random, snrDb } from "./signals.ts";
import { smallBundle } from "./small_bundle.ts";

/** The Fourier transform by its definition. */
function defined(re: ArrayLike<number>, im: ArrayLike<number>): Float64Array[] {
  const n = re.length;
  const out = [new Float64Array(n), new Float64Array(n)] as const;
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      const [c, s] = [Math.cos((2 * Math.PI * ((k * i) % n)) / n), -Math.sin((2 * Math.PI * ((k * i) % n)) / n)];
      out[0][k] = (out[0][k] as number) + (re[i] as number) * c - (im[i] as number) * s;
      out[1][k] = (out[1][k] as number) + (re[i] as number) * s + (im[i] as number) * c;
    }
  }
  return [...out];
}

for (const size of [8, 16, 24, 256, 288, 768]) {
  test(`the transform of ${size} values is the defined one`, async () => {
    const kernels = await createKernels();
    const [real, imaginary] = [random(size, 1), random(size, 2)];
    const [re, im] = [blockOf(kernels, real), blockOf(kernels, imaginary)];
    const [re2, im2] = [new Block(kernels, size), new Block(kernels, size)];
    const roots = blockOf(kernels, rootsOf(size));
    const other = kernels.fft(re.at, im.at, re2.at, im2.at, size, roots.at);
    const [wantedRe, wantedIm] = defined(real, imaginary) as [Float64Array, Float64Array];
    expect(snrDb(wantedRe, (other ? re2 : re).values)).toBeGreaterThan(120);
    expect(snrDb(wantedIm, (other ? im2 : im).values)).toBeGreaterThan(120);
    if (Math.log2(size) % 1) return;
    transform(real, imaginary);
    expect(snrDb(wantedRe, real)).toBeGreaterThan(250);
    expect(snrDb(wantedIm, imaginary)).toBeGreaterThan(250);
  });
}

test("a view is made anew when the memory has grown", async () => {
  const kernels = await createKernels();
  const block = blockOf(kernels, [1, 2, 3]);
  new Block(kernels, 1 << 20);
  expect([...block.values]).toEqual([1, 2, 3, 0]);
});

for (const [rate, size] of [
  [16000, 512],
  [48000, 1536],
] as const) {
  test(`loudness at ${rate} Hz is the defined one`, async () => {
    const kernels = await createKernels();
    const { manifest } = smallBundle({ sampleRate: rate });
    const frame = random(size, 3);
    const windowed = frame.map((value, i) => value * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size)));
    const [re, im] = defined(windowed, new Float64Array(size)) as [Float64Array, Float64Array];
    let power = 0;
    for (let k = 0; k <= size / 2; k++) {
      const weight = 10 ** (aWeightingDb((k * rate) / size) / 10);
      power += weight * ((re[k] as number) ** 2 + (im[k] as number) ** 2);
    }
    const loudness = new LoudnessMeter(kernels, manifest.audio).measure(blockOf(kernels, frame).at);
    expect(loudness).toBeCloseTo(10 * Math.log10(power / (size / 2 + 1)), 4);
  });
}
