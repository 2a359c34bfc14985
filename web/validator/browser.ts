/** Runs the cases in headless Chromium, one fresh browser for each backend. */

import type { Browser, Page } from "playwright-core";
import { type BackendRun, byGraph, emptyRun, messageOf } from "./backends.ts";
import type { Case } from "./cases.ts";
import { launchChromium } from "./chromium.ts";

const CLOSE_MS = 5_000;
const CRASH_MS = 1_000; // within which a crash is reported that cut a navigation or a call short

/** The browser did not finish, which a bundle may be to blame for. All else that ends a run is the browser's end. */
class TooSlow extends Error {}

/**
 * Runs every graph on one TF.js backend. What fails is reported in the result, never thrown.
 *
 * @param timeoutMs after which the browser counts as hung and is killed.
 */
export async function runInChromium(
  executable: string,
  origin: string,
  backend: string,
  cases: readonly Case[],
  timeoutMs: number,
): Promise<BackendRun> {
  const first = await attempt(executable, origin, backend, cases, timeoutMs);
  return first.died ? attempt(executable, origin, backend, cases, timeoutMs) : first;
}

async function attempt(
  executable: string,
  origin: string,
  backend: string,
  cases: readonly Case[],
  timeoutMs: number,
): Promise<BackendRun> {
  const run = emptyRun();
  try {
    const browser = await start(executable);
    run.browser = browser.version();
    try {
      const page = await browser.newPage();
      const died = new Promise<never>((_, reject) => {
        page.on("crash", () => reject(new Error("the page crashed")));
        browser.on("disconnected", () => reject(new Error("Chromium went away")));
      });
      const cutShort = async (error: unknown) => {
        await Promise.race([died, sleep(CRASH_MS)]); // the crash is the cause, where there was one
        throw error;
      };
      const work = runOnPage(page, origin, backend, cases, run).catch(cutShort);
      await withDeadline(Promise.race([died, work]), timeoutMs);
    } finally {
      // A browser that does not close in time is killed, profile and all, when this process exits.
      await Promise.race([browser.close().catch(() => undefined), sleep(CLOSE_MS)]);
    }
  } catch (error) {
    run.error = messageOf(error);
    run.died = !(error instanceof TooSlow);
  }
  return run;
}

async function start(executable: string): Promise<Browser> {
  try {
    return await launchChromium(executable);
  } catch (error) {
    throw new Error(`${executable} does not start: ${messageOf(error)}`);
  }
}

async function runOnPage(page: Page, origin: string, backend: string, cases: readonly Case[], run: BackendRun) {
  page.on("pageerror", (error) => run.console.push(messageOf(error)));
  page.on("console", (message) => {
    if (message.type() === "error") run.console.push(message.text());
  });
  await page.goto(`${origin}/`, { waitUntil: "load" });
  run.renderer = await page.evaluate((name) => globalThis.swara.start(name), backend);
  for (const [graph, its] of byGraph(cases)) {
    try {
      run.graphs[graph] = await page.evaluate(([name, list]) => globalThis.swara.run(name, list), [
        graph,
        its,
      ] as const);
    } catch (error) {
      if (await page.evaluate(() => globalThis.swara.lost())) throw new Error("the WebGL context was lost");
      run.graphs[graph] = { error: messageOf(error) };
    }
  }
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooSlow(`not finished after ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
