/** The benchmarks, one after the other, each on fresh pages of one browser. */

import type { Page } from "playwright-core";
import type { BankName } from "./banks.ts";
import type { ClipPath } from "./clips.ts";
import type { BankResult } from "./page.ts";

/** One line of output. */
export type Line = { readonly benchmark: string } & Readonly<Record<string, unknown>>;

export interface Bench {
  /** A page on which nothing has run yet. */
  open(): Promise<Page>;
  /** URL of the bundle's manifest. */
  readonly bundle: string;
  /** The bundle's network is a loop over frames, which the engine never runs on webgl: in software it does not end. */
  readonly isLoop: boolean;
  /** Program, and the site of this benchmark's page, for a browser with other devices. */
  readonly chromium: string;
  readonly origin: string;
}

const BANKS: readonly BankName[] = ["stock", "stock_one_cumsum", "phase_cumsum", "scan", "fused"];
const BANK_RUNS = 5;
const CLIP_RUNS: Readonly<Record<string, number>> = { wasm: 20, cpu: 20, webgl: 5 };
const CONVERSIONS = 50;

/** Measures time, memory and exactness of every bank of harmonics. */
export async function harmonics(bench: Bench): Promise<Line> {
  const times = await onPage(bench, "webgl", (page) =>
    page.evaluate(([names, runs]) => globalThis.swaraBenchmark.bankTimes(names, runs), [BANKS, BANK_RUNS] as const),
  );
  const banks: Record<string, object> = {};
  const ms = (name: BankName) => median(times[name] ?? []);
  const peaks: Record<string, number> = {};
  for (const name of BANKS) {
    const run = (page: Page) => page.evaluate((bank) => globalThis.swaraBenchmark.bank(bank), name);
    const float32: BankResult = await onPage(bench, "webgl", run);
    const float16: BankResult = await onPage(bench, "webgl", run, true);
    peaks[name] = float32.peakBytes;
    banks[name] = {
      ms: round(ms(name)),
      peak_bytes: float32.peakBytes,
      snr_db: round(float32.snrDb),
      snr_db_float16: round(float16.snrDb),
      not_a_number_float16: round(float16.notFinite, 3),
    };
  }
  return {
    benchmark: "harmonics",
    banks,
    fused_times_faster: round(ms("stock") / ms("fused")),
    fused_times_faster_than_one_cumsum: round(ms("stock_one_cumsum") / ms("fused")),
    fused_share_of_peak: round((peaks.fused ?? 0) / (peaks.stock ?? 0), 4),
    scan_times_faster: round(ms("stock") / ms("scan")),
    scan_times_faster_than_one_cumsum: round(ms("stock_one_cumsum") / ms("scan")),
  };
}

const CLIPS: Readonly<Record<string, readonly [backend: string, path: ClipPath]>> = {
  wasm_controls_wasm_synthesiser: ["wasm", { kind: "tfjs" }],
  wasm_controls_wasm_synthesiser_dry: ["wasm", { kind: "tfjs", options: { reverb: false } }],
  engine_without_tfjs: ["cpu", { kind: "engine" }],
  webgl_controls_fused_kernel: ["webgl", { kind: "tfjs" }],
  webgl_full_graph_dry: ["webgl", { kind: "full" }],
  wasm_full_graph_dry: ["wasm", { kind: "full" }],
};

/**
 * Measures four seconds of features to four seconds of sound, first and warm, with reverb unless a name ends in dry. A
 * path that would run a loop on webgl is null.
 */
export async function clips(bench: Bench): Promise<Line> {
  const paths: Record<string, object | null> = {};
  for (const [name, [backend, path]] of Object.entries(CLIPS)) {
    if (backend === "webgl" && bench.isLoop) {
      paths[name] = null;
      continue;
    }
    const { load, times, snr } = await onPage(bench, backend, async (page) => ({
      load: await loadClip(page, bench, path),
      times: await page.evaluate((runs) => globalThis.swaraBenchmark.clipTimes(runs), 1 + (CLIP_RUNS[backend] ?? 0)),
      snr: await page.evaluate(() => globalThis.swaraBenchmark.clipExactness()),
    }));
    const [first = 0, ...warm] = times;
    const [best, middle] = [Math.min(...warm), median(warm)];
    paths[name] = {
      load_ms: round(load),
      first_ms: round(first),
      warm_ms: round(middle),
      best_ms: round(best),
      snr_db: round(snr),
    };
  }
  return { benchmark: "clip", paths };
}

/**
 * Measures memory of the clip path on webgl: textures deleted at once, or left to TF.js's pool; and of the stock graph.
 * All null for a loop.
 */
export async function earlyDisposal(bench: Bench): Promise<Line> {
  if (bench.isLoop) return { benchmark: "early_disposal", with: null, without: null, full_graph: null };
  const peak = (path: ClipPath) =>
    onPage(bench, "webgl", async (page) => {
      await loadClip(page, bench, path);
      const runs = await page.evaluate(() => globalThis.swaraBenchmark.clipMemory(3));
      return { peak_bytes: Math.max(...runs.map((run) => run.peakBytes)), held_bytes: runs.at(-1)?.heldBytes };
    });
  const withIt = await peak({ kind: "tfjs" });
  const without = await peak({ kind: "tfjs", options: { keepTextures: true } });
  const full = await peak({ kind: "full" });
  return { benchmark: "early_disposal", with: withIt, without, full_graph: full };
}

/** Measures what fifty conversions leave behind, counted from the second on; null for a loop on webgl. */
export async function conversions(bench: Bench): Promise<Line> {
  const gained = async (backend: string) => {
    const runs = await onPage(bench, backend, async (page) => {
      await loadClip(page, bench, { kind: "tfjs" });
      return page.evaluate((count) => globalThis.swaraBenchmark.clipMemory(count), CONVERSIONS + 1);
    });
    const [, second] = runs;
    const last = runs.at(-1);
    if (second === undefined || last === undefined) throw new Error("no conversions were made");
    return { gpu_bytes: last.heldBytes - second.heldBytes, tensors: last.tensors - second.tensors };
  };
  const webgl = bench.isLoop ? null : await gained("webgl");
  return { benchmark: "conversions", count: CONVERSIONS, webgl, wasm: await gained("wasm") };
}

/** Measures the live synthesiser at 48 kHz with 100 harmonics, all audible, on one core; the run disturbed least. */
export async function liveSynthesis(bench: Bench): Promise<Line> {
  const { alone, whole } = await onPage(bench, "cpu", (page) =>
    page.evaluate(async (url) => {
      const alone: number[] = [];
      const whole: number[] = [];
      for (let run = 0; run < 5; run++) {
        alone.push(await globalThis.swaraBenchmark.timesRealTime(url));
        whole.push(await globalThis.swaraBenchmark.wholeTimesRealTime(url, 10));
      }
      return { alone, whole };
    }, bench.bundle),
  );
  return {
    benchmark: "live_synthesis",
    times_real_time: round(Math.max(...alone)),
    median: round(median(alone)),
    with_pitch_and_network: round(Math.max(...whole)),
  };
}

const PLAYED_SECONDS = 30;

/** Counts underruns in half a minute of live playing while the main thread is blocked 200 ms in every 500. */
export async function underruns(bench: Bench): Promise<Line> {
  const result = await onPage(bench, "cpu", async (page) => {
    await page.mouse.click(1, 1); // contexts start only on pages that were touched
    return page.evaluate(([url, seconds]) => globalThis.swaraBenchmark.underruns(url, seconds), [
      bench.bundle,
      PLAYED_SECONDS,
    ] as const);
  });
  const rounded = Object.entries(result).map(([name, value]) => [name, round(value, 3)]);
  return { benchmark: "underruns", ...Object.fromEntries(rounded) };
}

/** Measures ms from a gated tone at the live instrument's input to its output, in the audio thread's clock. */
export async function latency(bench: Bench): Promise<Line> {
  const run = (isStream: boolean) =>
    onPage(bench, "cpu", async (page) => {
      await page.mouse.click(1, 1);
      return page.evaluate(([url, stream]) => globalThis.swaraBenchmark.latency(url, stream), [
        bench.bundle,
        isStream,
      ] as const);
    });
  const { onsets, parts, base, output } = await run(false);
  const streamed = await run(true);
  const ms = (seconds: number) => round(1000 * seconds);
  const direct = median(onsets.seconds);
  const stream = median(streamed.onsets.seconds) - direct;
  return {
    benchmark: "latency",
    bursts: onsets.bursts,
    input_to_output_ms: ms(direct),
    worst_ms: ms(Math.max(...onsets.seconds)),
    to_half_level_ms: ms(median(onsets.toHalf)),
    algorithmic_ms: ms(parts.total),
    parts_ms: Object.fromEntries(Object.entries(parts).map(([name, seconds]) => [name, ms(seconds)])),
    media_stream_ms: ms(stream),
    context_base_ms: ms(base),
    context_output_ms: ms(output),
    stream_to_speaker_ms: ms(stream + direct + output),
  };
}

async function onPage<T>(
  bench: Bench,
  backend: string,
  work: (page: Page) => Promise<T>,
  isFloat16 = false,
): Promise<T> {
  const page = await bench.open();
  try {
    await page.evaluate(([name, half]) => globalThis.swaraBenchmark.start(name, half), [backend, isFloat16] as const);
    return await work(page);
  } finally {
    await page.close();
  }
}

function loadClip(page: Page, bench: Bench, path: ClipPath): Promise<number> {
  return page.evaluate(([url, how]) => globalThis.swaraBenchmark.loadClip(url, how), [bench.bundle, path] as const);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function round(value: number | null, digits = 1): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
