/**
 * Runs an exported bundle's graphs on TF.js, as a page would, and writes down their outputs.
 *
 *     node dist/validator/cli.mjs --bundle DIR --cases DIR --out DIR --timeout SECONDS [--chromium PROGRAM] [--parent PID]
 *
 * In headless Chromium on webgl and wasm; without one, in Node on wasm and cpu. Whether the values are
 * right is for the caller to judge. It ends with the process PID. Exit code 0 when the report was written, 2 on bad arguments or cases.
 */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BackendRun, messageOf } from "./backends.ts";
import { type Case, parseCases } from "./cases.ts";
import { endWith } from "./parent.ts";
import { writeReport } from "./report.ts";
import { serve } from "./serve.ts";

const USAGE = "usage: cli.mjs --bundle DIR --cases DIR --out DIR --timeout SECONDS [--chromium PROGRAM] [--parent PID]";

interface Arguments {
  readonly bundle: string;
  readonly cases: string;
  readonly out: string;
  readonly timeoutMs: number;
  readonly chromium: string | undefined;
  readonly parent: number | undefined;
}

function parseArguments(argv: string[]): Arguments {
  const text = { type: "string" } as const;
  const options = { bundle: text, cases: text, out: text, timeout: text, chromium: text, parent: text };
  const { values } = parseArgs({ args: argv, options });
  const { bundle, cases, out, chromium } = values;
  const timeoutMs = Number(values.timeout) * 1000;
  const parent = values.parent === undefined ? undefined : Number(values.parent);
  if (bundle === undefined || cases === undefined || out === undefined || !(timeoutMs > 0)) throw new Error(USAGE);
  return { bundle, cases, out, timeoutMs, chromium, parent };
}

async function readCases(folder: string): Promise<Case[]> {
  const path = join(folder, "cases.json");
  try {
    return parseCases(await readFile(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`);
  }
}

async function validate(args: Arguments, cases: readonly Case[]): Promise<void> {
  const require = createRequire(import.meta.url);
  const site = await serve({
    "": fileURLToPath(new URL("page", import.meta.url)),
    bundle: args.bundle,
    cases: args.cases,
    wasm: dirname(require.resolve("@tensorflow/tfjs-backend-wasm")),
  });
  try {
    const { version } = require("@tensorflow/tfjs-core/package.json") as { version: string };
    await writeReport(args.out, version, await runBackends(args, site.origin, cases));
  } finally {
    await site.close();
  }
}

/** Runs the cases on all backends; Playwright and TF.js are loaded only where they are needed. */
async function runBackends(
  { chromium, timeoutMs }: Arguments,
  origin: string,
  cases: readonly Case[],
): Promise<Record<string, BackendRun>> {
  const runs: Record<string, BackendRun> = {};
  if (chromium !== undefined) {
    const { runInChromium } = await import("./browser.ts");
    for (const backend of ["webgl", "wasm"]) {
      runs[backend] = await runInChromium(chromium, origin, backend, cases, timeoutMs);
    }
  } else {
    const { runInNode } = await import("./node.ts");
    for (const backend of ["wasm", "cpu"]) runs[backend] = await runInNode(origin, backend, cases);
  }
  return runs;
}

async function main(argv: string[]): Promise<number> {
  let args: Arguments;
  let cases: Case[];
  try {
    args = parseArguments(argv);
    cases = await readCases(args.cases);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
  if (args.parent !== undefined) endWith(args.parent);
  await validate(args, cases);
  return 0;
}

// An explicit exit kills the browser; without it Playwright closes that and the next attempt starts another.
process.once("SIGTERM", () => process.exit(128 + constants.signals.SIGTERM));
// An explicit exit: it kills a browser that would not close, and does not wait for idle connections.
process.exit(await main(process.argv.slice(2)));
