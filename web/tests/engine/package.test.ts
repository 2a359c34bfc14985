import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { createBuilder } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convolveInJs } from "../../engine/src/clip/convolution.ts";
import type * as Engine from "../../engine/src/index.ts";
import { LiveCore } from "../../engine/src/live/core.ts";
import { DEFAULT_SETTINGS } from "../../engine/src/live/types.ts";
import { workletBeside } from "../../engine/src/live/worklet_source.ts";
import { resampleImpulseResponse } from "../../engine/src/synthesis/impulse_response.ts";
import { NoiseSource } from "../../engine/src/synthesis/noise_source.ts";
import { createKernels } from "../../engine/src/wasm/kernels.ts";
import config from "../../vite.engine.config.ts";
import { ROOT } from "./shared.ts";
import { snrDb } from "./signals.ts";
import { type Site, serveSite } from "./site.ts";
import { sha256, smallBundle, smallInstrument, text, versionOf } from "./small_bundle.ts";

declare global {
  /** On the page: the package. */
  var engine: typeof Engine;
}

const WEB = join(ROOT, "web");
const RECIPE = { taps: 2000 };
const MOST_BYTES = 60_000; // gzip, without TF.js

let dist: string;

beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), "swara-engine-"));
  const environments = Object.entries(config.environments ?? {}).map(([name, one]) => {
    return [name, { ...one, build: { ...one.build, outDir: dist } }] as const;
  });
  const own = { ...config, root: join(WEB, "engine"), environments: Object.fromEntries(environments) };
  const builder = await createBuilder({ ...own, configFile: false, logLevel: "error" });
  await builder.buildApp();
}, 120_000);

afterAll(() => rmSync(dist, { recursive: true }));

/** A file of the package that was built. */
const built = (name: string) => (existsSync(join(dist, name)) ? readFileSync(join(dist, name)) : undefined);

test("all of the engine that a page downloads is at most 60 KB gzip, and names no TF.js", () => {
  const own = readdirSync(dist).filter((name) => name.endsWith(".js") && name !== "tfjs.js");
  const sizes = own.map((name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length);
  expect(own).toContain("worklet.js");
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
  for (const name of own) expect(readFileSync(join(dist, name), "utf8")).not.toContain("@tensorflow");
});

test("the worklet stands alone", () => {
  expect(readFileSync(join(dist, "worklet.js"), "utf8")).not.toMatch(/^\s*(import|export)\b/m);
});

test("the package that npm would publish holds what its exports name", () => {
  const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: join(WEB, "engine") });
  const packed = JSON.parse(listed.toString()) as { files: { path: string }[] }[];
  const paths = packed[0]?.files.map((file) => file.path);
  for (const path of ["README.md", "LICENSE", "example.html", "package.json"]) expect(paths).toContain(path);
  const { exports, files } = JSON.parse(readFileSync(join(WEB, "engine/package.json"), "utf8"));
  expect(files).toContain("dist");
  expect(readFileSync(join(WEB, "engine/LICENSE"), "utf8")).toBe(readFileSync(join(ROOT, "LICENSE"), "utf8"));
  const targets = [exports["."].import, exports["."].default, exports["./tfjs"].import, exports["./tfjs"].default];
  for (const path of [...targets, exports["./worklet.js"]]) {
    expect(built(path.replace("./dist/", ""))).toBeDefined();
  }
});

test.each([
  ["https://a.example/lib/worklet_source.js", "https://a.example/lib/worklet.js"],
  ["http://localhost/worklet_source.js?v=2", "http://localhost/worklet.js?v=2"],
  ["https://a.example/lib/bundle.js", null],
  ["https://a.example/?file=/worklet_source.js", null],
  ["file:///project/worklet_source.js", null], // webpack's idea of the address
])("the worklet lies beside %s: %s", (module, expected) => {
  expect(workletBeside(module)).toBe(expected);
});

test("the example embeds an instrument in under 30 lines", () => {
  expect(readFileSync(join(WEB, "engine/example.html"), "utf8").trimEnd().split("\n").length).toBeLessThan(30);
});

const program = process.env.SWARA_CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
const absent = program || process.env.CI === "true" ? null : "no Chromium: set SWARA_CHROMIUM";

describe.skipIf(absent)(`in Chromium${absent ? `: ${absent}` : ""}`, () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    site = await serveSite(published, (path) => path !== "example.html");
    browser = await chromium.launch({
      ...(program && { executablePath: program }),
      args: [
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
      ],
    });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await site.close();
    expect(faults).toEqual([]);
  });

  /** A fresh page; what goes wrong on it is collected. */
  async function open(path: string): Promise<Page> {
    faults = [];
    page = await browser.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await page.goto(`${site.origin}/${path}`, { waitUntil: "load" });
    return page;
  }

  test("the worklet plays what the core plays, under a strict policy, with the room around it", async () => {
    await open("index.html");
    const seconds = 1.5;
    const rendered = await page.evaluate(async (length) => {
      const { loadInstrument, createLiveInstrument } = globalThis.engine;
      const context = new OfflineAudioContext(1, length * 48000, 48000);
      const live = await createLiveInstrument(context, await loadInstrument("/pushed/small/"));
      live.set({ vibratoCents: 0, gateDb: -80 });
      live.noteOn(69, 0.8);
      live.output.connect(context.destination);
      // The audio thread must have its orders before it renders all at once.
      await new Promise((done) => setTimeout(done, 1000));
      const sound = await context.startRendering();
      return Array.from(sound.getChannelData(0));
    }, seconds);
    const instrument = await smallInstrument(RECIPE);
    const { manifest, tensors, impulseResponse } = instrument;
    const noise = new NoiseSource();
    const core = new LiveCore(await createKernels(), manifest, tensors, 48000, noise, () => undefined);
    core.settings = { ...DEFAULT_SETTINGS, vibratoCents: 0, gateDb: -80 };
    core.keys.noteOn(69, 0.8, core.settings);
    const dry = new Float32Array(rendered.length);
    const unused = new Float32Array(128);
    for (let i = 0; i < dry.length; i += 128) core.process(null, dry.subarray(i, i + 128), unused);
    const wet = convolveInJs(dry, resampleImpulseResponse(impulseResponse, 16000, 48000));
    const expected = dry.map((value, i) => value + (wet[i] as number));
    expect(Math.max(...expected)).toBeGreaterThan(0.01);
    expect(snrDb(expected, rendered)).toBeGreaterThan(80);
    expect(faults).toEqual([]);
  }, 60_000);

  test("an instrument that replaces another one sounds its held key on, without a click", async () => {
    await open("index.html");
    const sound = await page.evaluate(async () => {
      const { loadInstrument, createLiveInstrument } = globalThis.engine;
      const context = new OfflineAudioContext(1, 2 * 48000, 48000);
      const instrument = await loadInstrument("/pushed/small/");
      const live = await createLiveInstrument(context, instrument);
      live.set({ vibratoCents: 0 });
      live.noteOn(57, 0.8);
      live.output.connect(context.destination);
      void context.suspend(1).then(async () => {
        await live.replaceInstrument(instrument);
        await context.resume();
      });
      await new Promise((done) => setTimeout(done, 500));
      return Array.from((await context.startRendering()).getChannelData(0));
    });
    const steepest = (from: number, to: number) => {
      const part = sound.slice(from * 48000, to * 48000);
      return Math.max(...part.map((value, i) => Math.abs(value - (part[i - 1] ?? value))));
    };
    const level = (from: number, to: number) => Math.hypot(...sound.slice(from * 48000, to * 48000));
    expect(steepest(0.5, 0.9)).toBeGreaterThan(1e-3);
    expect(steepest(0.95, 1.2)).toBeLessThan(1.2 * steepest(0.5, 0.9));
    expect(level(1.5, 1.9) / level(0.5, 0.9)).toBeCloseTo(1, 1);
    expect(faults).toEqual([]);
  }, 60_000);

  test("a context in real time reports the voice and what is played; a breakdown is reported", async () => {
    await open("index.html");
    await page.mouse.click(1, 1); // a context may only start once the page was touched
    const result = await page.evaluate(async () => {
      const { loadInstrument, createLiveInstrument } = globalThis.engine;
      const context = new AudioContext();
      const live = await createLiveInstrument(context, await loadInstrument("/pushed/small/"));
      const tone = new OscillatorNode(context, { type: "sawtooth", frequency: 220 });
      tone.connect(new GainNode(context, { gain: 0.2 })).connect(live.input);
      live.output.connect(context.destination);
      tone.start();
      let reports = 0;
      let last: Engine.FrameReport | undefined;
      live.onFrames = (report) => {
        reports++;
        last = report;
      };
      await context.resume();
      await new Promise((done) => setTimeout(done, 2000));
      const { manifest, ...rest } = await loadInstrument("/pushed/small/");
      const broken = { ...rest, manifest, tensors: new Map() };
      const fault = await live.replaceInstrument(broken).catch((error: Error) => error.message);
      const breakdown = new Promise<string>((resolve) => {
        live.onError = (error) => resolve(error.message);
      });
      (live.input as AudioWorkletNode).port.postMessage({
        type: "set",
        settings: { octaves: 0n, loudnessDb: 0n, mix: 0n }, // no number may be added to
      });
      const fatal = await breakdown;
      const waiting = live.replaceInstrument({ ...rest, manifest }).catch((error: Error) => error.message);
      live.close();
      const closed = await waiting;
      let noNote = "";
      try {
        live.noteOn(Number.NaN, 1);
      } catch (error) {
        noNote = String(error);
      }
      await context.close();
      if (!last) throw new Error("there was no report");
      const { voice, played, output, octaveShift, load } = last;
      const newest = [voice.f0Hz, voice.confidence, voice.loudnessDb, played.f0Hz].map((values) => values.at(-1) ?? 0);
      return {
        reports,
        newest,
        frames: voice.f0Hz.length,
        output,
        octaveShift,
        load,
        total: live.latency.total,
        fault,
        fatal,
        closed,
        noNote,
      };
    });
    expect(result.reports).toBeGreaterThan(20);
    expect(result.frames).toBe(10);
    expect(Math.abs(1200 * Math.log2((result.newest[0] ?? 0) / 220))).toBeLessThan(5);
    expect(result.newest[1]).toBeGreaterThan(0.9);
    expect(result.newest[2]).toBeGreaterThan(-40);
    const [voiceHz = 0, , , playedHz = 0] = result.newest;
    expect(playedHz / voiceHz).toBeCloseTo(2 ** result.octaveShift, 2);
    expect(result.output.peak).toBeGreaterThan(result.output.rms);
    expect(result.output.rms).toBeGreaterThan(1e-4);
    expect(result.load).toBeGreaterThanOrEqual(0);
    expect(result.total).toBeLessThanOrEqual(0.05);
    expect(result.fault).toContain("cannot be played live: the network has no");
    expect(result.fatal).toContain("broke down on the audio thread");
    expect(result.closed).toBe("the instrument was closed");
    expect(result.noNote).toBe("RangeError: midi is NaN");
    expect(faults).toEqual([]);
  }, 60_000);

  test.each(["", "?instrument=pushed/small/"])("the example sings%s", async (query) => {
    await open(`example.html${query}`);
    await page.click("button");
    await page.waitForFunction(() => /^\d+ Hz$/.test(document.querySelector("output")?.textContent ?? ""));
    expect(faults).toEqual([]);
  });

  test("the example says what is wrong where there is no such instrument", async () => {
    await open("example.html?instrument=pushed/absent/");
    await page.click("button");
    await page.waitForFunction(() => document.querySelector("output")?.textContent);
    expect(await page.textContent("output")).toContain("latest.json");
  });

  test("a worklet that cannot be loaded is named, and the one that is given is loaded", async () => {
    await open("index.html");
    const message = await page.evaluate(async () => {
      const { loadInstrument, createLiveInstrument } = globalThis.engine;
      const context = new OfflineAudioContext(1, 48000, 48000);
      const instrument = await loadInstrument("/pushed/small/");
      const message = await createLiveInstrument(context, instrument, { worklet: "/absent.js" }).catch(String);
      await createLiveInstrument(context, instrument, { worklet: "/dist/worklet.js" });
      return String(message);
    });
    expect(message).toContain("the engine's worklet cannot be loaded from /absent.js");
  });
});

/** What the site holds: the package, the example, and a published instrument. */
function published(path: string): string | Uint8Array | undefined {
  const bundle = smallBundle(RECIPE);
  const { files } = bundle;
  const version = versionOf(bundle);
  if (path === "index.html") return '<!doctype html><title>Engine</title><script type="module" src="page.js"></script>';
  if (path === "page.js") return 'import * as engine from "./dist/index.js"; globalThis.engine = engine;';
  if (path === "example.html") return readFileSync(join(WEB, "engine/example.html"));
  if (path === "favicon.ico") return "";
  if (path === "pushed/index.json") {
    const named = { name: "small", title: "Small", description: "", version, download: {} };
    const instruments = [{ ...named, manifest: `small/${version}/manifest.json` }];
    return JSON.stringify({ format_version: 1, instruments });
  }
  if (path === "pushed/small/latest.json") {
    const manifest = files.get("manifest.json") as Uint8Array;
    return text(JSON.stringify({ version, manifest: `${version}/manifest.json`, sha256: sha256(manifest) }));
  }
  if (path.startsWith(`pushed/small/${version}/`)) return files.get(path.split("/").slice(3).join("/"));
  return path.startsWith("dist/") ? built(path.slice("dist/".length)) : undefined;
}
