/** Material from outside the repository: recordings, golden values, Python. Tests skip where it is absent. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const SHARED = resolve(ROOT, process.env.SWARA_SHARED ?? "../shared");
export const PYTHON = resolve(ROOT, ".venv/bin/python");

/** Gives the reason why a test that needs a folder of SWARA_SHARED and Python cannot run; null where it can. */
export function missing(folder: string): string | null {
  return existsSync(resolve(SHARED, folder)) ? missingPython() : `no ${folder} in SWARA_SHARED (${SHARED})`;
}

/** Gives the reason why a test that needs Python cannot run; null where it can. */
export function missingPython(): string | null {
  return existsSync(PYTHON) ? null : `no ${PYTHON}: run \`make setup\``;
}

/** Reads the arrays of a golden file as nested lists. */
export function golden(name: string): Record<string, number[]> {
  const script = resolve(ROOT, "web/tests/engine/dump_golden.py");
  const made = execFileSync(PYTHON, [script, resolve(SHARED, "golden", `${name}.npz`)], { maxBuffer: 1 << 28 });
  return JSON.parse(made.toString());
}
