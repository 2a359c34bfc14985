import { expect, test } from "vitest";
import { PARTS_PER_CYCLE, PHASE_COLUMNS, phaseTable, upperBits } from "../../../engine/src/tfjs/phase_table.ts";

/** What a float16 texture keeps of a number in its normal range: 11 significant bits, ties to even. */
function float16(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  const units = value / unit;
  const near = Math.round(units);
  return (Math.abs(units - Math.trunc(units)) === 0.5 && near % 2 !== 0 ? near - 1 : near) * unit;
}

function sweep(frames: number): Float32Array {
  return Float32Array.from({ length: frames }, (_, t) => 440 * 2 ** (0.5 * Math.sin(t / 9)) + t / 7);
}

test("upperBits keeps what float16 can hold, exactly", () => {
  for (const value of [0, 1, 440, 0.1, 1 / 3, 7999.123, -0.0271, 1e-3]) {
    const hi = upperBits(value);
    expect(float16(hi)).toBe(hi);
    expect(Math.abs(value - hi)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11);
  }
});

test("hi halves are exact in float16, and both halves in float16 give phases to 1 / 2^20 of a cycle", () => {
  const f0Hz = sweep(1000);
  const table = phaseTable(f0Hz, 64, 16000);
  let phase = 0; // the sum over samples, in float64
  for (let frame = 0; frame < f0Hz.length; frame++) {
    const row = [...table.subarray(frame * PHASE_COLUMNS, (frame + 1) * PHASE_COLUMNS)];
    for (const column of [0, 2, 4, 6]) expect(float16(row[column] ?? Number.NaN)).toBe(row[column]);
    const stored = (row[0] ?? 0) + float16(row[1] ?? 0) / PARTS_PER_CYCLE;
    const off = stored - (phase - Math.floor(phase));
    expect(Math.abs(off - Math.round(off))).toBeLessThan(2 ** -20);
    const hz = f0Hz[frame] ?? 0;
    const slope = (f0Hz[frame + 1] ?? hz) - hz;
    for (let n = 0; n < 64; n++) phase += (hz + (slope * n) / 64) / 16000;
  }
});

test("f0 is kept to the last bit, so that the test against Nyquist is the same as on the CPU", () => {
  const f0Hz = new Float32Array([200, 440, 0, 61.7354, 8000]);
  const table = phaseTable(f0Hz, 64, 16000);
  f0Hz.forEach((hz, t) => {
    expect(Math.fround((table[t * PHASE_COLUMNS + 2] ?? 0) + (table[t * PHASE_COLUMNS + 3] ?? 0))).toBe(hz);
  });
});

test("the last frame is held: it has no slope", () => {
  const table = phaseTable(new Float32Array([100, 200]), 64, 16000);
  expect([...table.slice(-2)]).toEqual([0, 0]);
  expect(table[6]).toBe(100);
});
