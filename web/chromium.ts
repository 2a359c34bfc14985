/** The machine's Chromium: its path, and the flags with which everything here starts it. */

import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Able to run in a container, and quiet on the network. */
export const FLAGS: readonly string[] = [
  "--disable-dev-shm-usage", // a container's /dev/shm is too small
  "--no-proxy-server",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Finds `SWARA_CHROMIUM` (`none`: no browser), or the first of the usual names on the PATH; null where there is none.
 * `components/browser_validator/chromium.py` searches the same paths.
 */
export function findChromium(): string | null {
  const named = process.env.SWARA_CHROMIUM;
  return findProgram(...(named === undefined ? NAMES : [named]));
}

/** Finds the first of some programs, by path or by name on the PATH; null where there is none. */
export function findProgram(...names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = names.flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))));
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
