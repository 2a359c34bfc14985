/** The late part of a room is the same as in training. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lateTail } from "../../engine/src/synthesis/late_tail.ts";
import { missingPython, PYTHON, ROOT } from "./shared.ts";
import { snrDb } from "./signals.ts";

const noPython = missingPython();

describe.skipIf(noPython)(`against NumPy${noPython ? `: ${noPython}` : ""}`, () => {
  for (const [bands, taps, rate] of [
    [1, 5, 16000],
    [10, 14400, 16000],
    [2, 4096, 32000],
    [12, 43200, 48000],
  ] as const) {
    test(`${bands} bands, ${taps} taps at ${rate} Hz`, () => {
      const levels = Array.from({ length: bands }, (_, band) => 0.02 * (-0.8) ** band);
      const decay_seconds = Array.from({ length: bands }, (_, band) => 2.5 / (band + 1));
      const script = join(ROOT, "web/tests/engine/reference_reverb.py");
      const input = JSON.stringify({ levels, decay_seconds, taps, rate });
      const options = { input, env: { ...process.env, PYTHONPATH: ROOT }, maxBuffer: 1 << 28 };
      const expected = JSON.parse(execFileSync(PYTHON, [script], options).toString()) as number[];
      expect(snrDb(expected, lateTail({ levels, decay_seconds }, taps, rate))).toBeGreaterThan(200);
    }, 30_000);
  }
});
