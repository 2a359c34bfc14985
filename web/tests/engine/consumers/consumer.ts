/** Fresh projects that install the package as npm would publish it, bundle it, and play a note in Chromium. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { expect } from "vitest";
import { FLAGS, findChromium } from "../../../chromium.ts";
import { pitchOf } from "../../page/measure_audio.ts";
import { ROOT } from "../shared.ts";
import { serveSite } from "../site.ts";
import { sha256, smallBundle, text, versionOf } from "../small_bundle.ts";

const ENGINE = join(ROOT, "web/engine");
const RATE = 48_000;
const MIDI = 57;
const HZ = 220;

/** Why the tests cannot run here; null where they can. */
export const absent = findChromium() || process.env.CI === "true" ? null : "no Chromium: set SWARA_CHROMIUM";

/** How a project uses the package. */
export interface Consumer {
  /** What `npm install` fetches beside the engine, `name@version`. */
  readonly packages?: readonly string[];
  /** Further files of the project, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** The program of Node that builds, with its arguments; none where nothing is built. */
  readonly build?: readonly string[];
  /** The folder that is served. */
  readonly serves?: string;
  /** Instead of a static host: the program of Node that serves, with its arguments; it gets `--port`. */
  readonly server?: readonly string[];
  /** What the page imports; by default the package's name. */
  readonly specifier?: string;
  /** Under a policy without blob:. */
  readonly strict?: boolean;
}

const play = (specifier: string) => `import { createLiveInstrument, loadInstrument } from "${specifier}";

globalThis.play = async (midi, rate) => {
  const context = new OfflineAudioContext(1, 1.5 * rate, rate);
  const live = await createLiveInstrument(context, await loadInstrument("/pushed/small/"));
  live.set({ vibratoCents: 0 });
  live.noteOn(midi, 0.8);
  live.output.connect(context.destination);
  await new Promise((done) => setTimeout(done, 500)); // the audio thread must have its orders before it renders
  return Array.from((await context.startRendering()).getChannelData(0));
};
`;
const PAGE = '<!doctype html><title>Consumer</title><script type="module" src="/main.js"></script>\n';

/** Makes the project, plays a note in it, and holds its pitch and its level to those of the note. */
export async function expectNote(consumer: Consumer): Promise<void> {
  const project = mkdtempSync(join(tmpdir(), "swara-consumer-"));
  try {
    install(project, consumer);
    if (consumer.build) node(project, consumer.build);
    const site = await (consumer.server ? serveByProgram(project, consumer.server) : serveFolder(project, consumer));
    try {
      const { sound, faults } = await playedAt(site.origin);
      expect(faults).toEqual([]);
      const steady = sound.subarray(0.5 * RATE, 0.7 * RATE);
      expect(1200 * Math.log2(pitchOf(steady, RATE) / HZ)).toBeCloseTo(0, -1);
      const level = Math.sqrt(steady.reduce((sum, x) => sum + x * x, 0) / steady.length);
      expect(level).toBeGreaterThan(0.01);
      expect(level).toBeLessThan(1);
    } finally {
      await site.close();
    }
  } finally {
    rmSync(project, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function install(project: string, { packages = [], files = {}, specifier = "swara-engine" }: Consumer): void {
  const bundle = smallBundle();
  const version = versionOf(bundle);
  const manifest = bundle.files.get("manifest.json") as Uint8Array;
  const latest = JSON.stringify({ version, manifest: `${version}/manifest.json`, sha256: sha256(manifest) });
  const pushed = [...bundle.files, ["latest.json", text(latest)] as const].map(
    ([path, bytes]) => [`public/pushed/small/${path === "latest.json" ? path : `${version}/${path}`}`, bytes] as const,
  );
  const own = {
    "package.json": '{ "private": true, "type": "module" }',
    "index.html": PAGE,
    "public/favicon.ico": "",
    "main.js": play(specifier),
  };
  for (const [path, content] of [...Object.entries({ ...own, ...files }), ...pushed]) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), content);
  }
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
    cwd: ENGINE,
    encoding: "utf8",
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const from = packages.length ? [] : ["--offline"];
  execFileSync("npm", ["install", ...quietly, ...from, `./${filename}`, ...packages], {
    cwd: project,
    stdio: "inherit",
  });
}

function node(project: string, [program = "", ...rest]: readonly string[]): void {
  execFileSync(process.execPath, [program, ...rest], { cwd: project, stdio: ["ignore", "ignore", "inherit"] });
}

interface Served {
  readonly origin: string;
  close(): Promise<void>;
}

function serveFolder(project: string, { serves = ".", strict = false }: Consumer): Promise<Served> {
  const read = (path: string) => {
    for (const folder of [serves, "public"]) {
      try {
        return readFileSync(join(project, folder, path));
      } catch {
        // in the other folder, or nowhere
      }
    }
    return undefined;
  };
  return serveSite(
    (path) => read(path),
    () => strict,
  );
}

async function serveByProgram(project: string, [program = "", ...rest]: readonly string[]): Promise<Served> {
  const port = await freePort();
  const own = ["--host", "127.0.0.1", "--port", String(port)];
  const server = spawn(process.execPath, [program, ...rest, ...own], { cwd: project, stdio: "ignore" });
  const origin = `http://127.0.0.1:${port}`;
  const close = () => ended(server);
  for (let tries = 0; tries < 300; tries++) {
    if (server.exitCode !== null) throw new Error(`${program} ended with ${server.exitCode}`);
    const response = await fetch(origin).catch(() => null);
    if (response?.ok) return { origin, close };
    await new Promise((done) => setTimeout(done, 100));
  }
  await close();
  throw new Error(`${program} does not serve`);
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((done) => {
    server.once("exit", () => done());
    if (!server.kill()) done();
  });
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => done(port));
    });
  });
}

async function playedAt(origin: string): Promise<{ sound: Float32Array; faults: string[] }> {
  const executablePath = findChromium();
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: [...FLAGS] });
  try {
    const faults: string[] = [];
    const page = await browser.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await page.goto(`${origin}/index.html`);
    await page.waitForFunction(() => "play" in globalThis);
    const samples = await page.evaluate(
      ([midi, rate]) =>
        (globalThis as unknown as { play(midi: number, rate: number): Promise<number[]> }).play(midi, rate),
      [MIDI, RATE] as const,
    );
    return { sound: Float32Array.from(samples), faults };
  } finally {
    await browser.close();
  }
}
