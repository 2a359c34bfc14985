/**
 * Measures the engine in one headless Chromium: one JSON object a line on standard output, in order of the benchmarks.
 *
 *     node dist/benchmark/cli.mjs --bundle DIR [--chromium PROGRAM] [--only NAME ...]
 *     node dist/benchmark/cli.mjs --table FILE
 *
 * The second form turns such lines into a Markdown table. See README.md beside the sources. Exit code 0 when all was
 * measured, 2 on bad arguments.
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findChromium } from "../../web/chromium.ts";
import { launchChromium } from "../../web/validator/chromium.ts";
import { serve } from "../../web/validator/serve.ts";
import { downloads } from "./downloads.ts";
import { loopback } from "./loopback.ts";
import {
  type Bench,
  clips,
  conversions,
  earlyDisposal,
  harmonics,
  type Line,
  latency,
  liveSynthesis,
  underruns,
} from "./measure.ts";
import { table } from "./table.ts";

const ENGINE = fileURLToPath(new URL("../../engine/dist", import.meta.url));

const BENCHMARKS: Readonly<Record<string, (bench: Bench) => Promise<Line>>> = {
  harmonics,
  clip: clips,
  early_disposal: earlyDisposal,
  conversions,
  live_synthesis: liveSynthesis,
  underruns,
  latency,
  loopback,
  downloads: (bench) => downloads(bench, ENGINE),
};

const NAMES = Object.keys(BENCHMARKS).join("|");
const USAGE = `usage: cli.mjs --bundle DIR [--chromium PROGRAM] [--only ${NAMES} ...] | --table FILE`;

interface Measurement {
  readonly bundle: string;
  readonly chromium: string;
  readonly names: readonly string[];
}

function parseArguments(argv: string[]): Measurement | { readonly table: string } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: argv,
    options: { bundle: text, chromium: text, only: { ...text, multiple: true }, table: text },
  });
  if (values.table !== undefined) return { table: readFileSync(values.table, "utf8") };
  const { bundle, only = Object.keys(BENCHMARKS) } = values;
  if (bundle === undefined) throw new Error(USAGE);
  if (!["manifest.json", "latest.json"].some((name) => existsSync(join(bundle, name)))) {
    throw new Error(`${bundle}: no bundle; give a published instrument's folder, pushed/NAME or pushed/NAME/VERSION`);
  }
  const unknown = only.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown !== undefined) throw new Error(`no benchmark ${unknown}\n${USAGE}`);
  const chromium = values.chromium ?? findChromium();
  if (chromium === null) throw new Error("there is no Chromium on the PATH; name one with --chromium");
  return { bundle, chromium, names: only };
}

async function measure({ bundle, chromium, names }: Measurement): Promise<void> {
  const require = createRequire(import.meta.url);
  const site = await serve({
    "": fileURLToPath(new URL("page", import.meta.url)),
    bundle,
    wasm: dirname(require.resolve("@tensorflow/tfjs-backend-wasm")),
  });
  const browser = await launchChromium(chromium);
  const open = async () => {
    const page = await browser.newPage();
    await page.goto(`${site.origin}/`, { waitUntil: "load" });
    return page;
  };
  const manifest = findManifest(bundle);
  const isLoop = readJson(join(bundle, manifest)).graphs.controls.dynamic;
  try {
    const page = await open();
    const renderer = await page.evaluate(() => globalThis.swaraBenchmark.start("cpu", false));
    await page.close();
    write({ benchmark: "machine", chromium: browser.version(), renderer, processors: cpus().length });
    for (const name of names) {
      const line = await BENCHMARKS[name]?.({
        open,
        bundle: `${site.origin}/bundle/${manifest}`,
        isLoop,
        chromium,
        origin: site.origin,
      });
      if (line !== undefined) write(line);
    }
  } finally {
    await browser.close();
    await site.close();
  }
}

/** Finds the manifest's path below a bundle's folder. */
function findManifest(bundle: string): string {
  return existsSync(join(bundle, "manifest.json")) ? "manifest.json" : readJson(join(bundle, "latest.json")).manifest;
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function write(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function parseLines(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function main(argv: string[]): Promise<number> {
  let args: ReturnType<typeof parseArguments>;
  try {
    args = parseArguments(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 2;
  }
  if ("table" in args) process.stdout.write(`${table(parseLines(args.table))}\n`);
  else await measure(args);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
