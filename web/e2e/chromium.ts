/** The browser of these tests: the machine's Chromium, with a file for a microphone. */

import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { LaunchOptions } from "@playwright/test";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** `SWARA_CHROMIUM` (`none`: no browser), or the first of the usual names on the PATH; null where there is none. */
export function findChromium(): string | null {
  const named = process.env.SWARA_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = (named === undefined ? NAMES : [named]).flatMap((name) =>
    isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name)),
  );
  return candidates.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * How Chromium starts.
 *
 * @param voice WAV file that the microphone hears, once and from its beginning each time it is opened.
 */
export function launchOptions(voice: string): LaunchOptions {
  const executablePath = findChromium();
  return {
    ...(executablePath !== null && { executablePath }),
    args: [
      "--no-sandbox", // Chromium refuses to run as root, as in a container, with its sandbox
      "--disable-dev-shm-usage", // a container's /dev/shm is too small
      "--no-proxy-server",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${voice}%noloop`,
    ],
  };
}
