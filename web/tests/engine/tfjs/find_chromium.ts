/** Finds the machine's Chromium, as `components/browser_validator/chromium.py` does. */

import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The machine's Chromium: `SWARA_CHROMIUM` (`none`: no browser), or the first of the usual names on the PATH. */
export function findChromium(): string | null {
  const named = process.env.SWARA_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = (named === undefined ? NAMES : [named]).flatMap((name) =>
    isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name)),
  );
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
