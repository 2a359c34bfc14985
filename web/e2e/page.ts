/** The tests' own `test`: every page is watched, its audio tapped, and its server is what `setup.ts` started. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import { attachAudioTap } from "./audio_tap.ts";
import { launchOptions } from "./chromium.ts";
import { Watch } from "./watch.ts";

export { expect };

const folder = process.env.SWARA_E2E_FOLDER ?? "";

/** Finds a WAV file for the microphone, by its name; null where it could not be made. */
export function voiceFile(name: "hum" | "song" | "voice"): string | null {
  const path = join(folder, `${name}.wav`);
  return existsSync(path) ? path : null;
}

/** Makes launch options with a voice in the microphone; the hum where there is no other. */
export function singing(name: "hum" | "song" | "voice") {
  return launchOptions(voiceFile(name) ?? join(folder, "hum.wav"));
}

interface Fixtures {
  readonly watch: Watch;
  readonly url: string;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from the pattern
  url: async ({}, use) => {
    await use(process.env.SWARA_E2E_URL ?? "");
  },
  watch: async ({ page }, use) => {
    await attachAudioTap(page);
    await use(new Watch(page));
  },
});

/** Skips every test of a file where `setup.ts` found that there is no browser. */
export function skipWithoutBrowser(): void {
  test.skip(process.env.SWARA_E2E_SKIP !== undefined, process.env.SWARA_E2E_SKIP ?? "");
}

/** Opens the page and waits for an instrument and for the service worker. */
export async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.getByText("Works without a network from now on.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Sing live" })).toBeEnabled();
}
