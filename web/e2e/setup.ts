/** Makes what the tests need: published instruments, voices as WAV files, and the server of the command line. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findChromium } from "../chromium.ts";
import { HUM_RATE, hum } from "../page/sound/hum.ts";
import { encodeWav } from "../page/sound/wav.ts";
import { firefox } from "./browsers/firefox.ts";
import { webkit } from "./browsers/webkit.ts";
import { PYTHON, ROOT, Server } from "./server.ts";
import { sungSong } from "./sung_song.ts";

export const VOICE_CLIP = "voice/vocadito_10.flac";

/** Sets up and returns the clean-up. Tests find what was made in the environment's SWARA_E2E_*. */
export default async function setup(): Promise<() => Promise<void>> {
  const chromium = findChromium() === null ? "no Chromium on the PATH: set SWARA_CHROMIUM to one" : null;
  const missing = [chromium, firefox.missing(), webkit.missing()].filter((reason) => reason !== null);
  if (process.env.CI === "true" && missing.length > 0) throw new Error(missing.join("; "));
  if (chromium !== null) process.env.SWARA_E2E_SKIP = chromium;
  if (missing.length === 3) return async () => undefined;
  const folder = mkdtempSync(join(tmpdir(), "swara-e2e-"));
  makeInstruments(folder);
  makeVoices(folder);
  const server = await Server.start(folder);
  Object.assign(process.env, { SWARA_E2E_FOLDER: folder, SWARA_E2E_URL: server.url });
  return async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  };
}

/** Makes `pushed/`: what SWARA_PUSHED names, or two untrained instruments. */
function makeInstruments(folder: string): void {
  const given = process.env.SWARA_PUSHED;
  if (given) {
    symlinkSync(resolve(given), join(folder, "pushed"));
    return;
  }
  execFileSync(PYTHON, ["-m", "tests.web.publish_untrained", join(folder, "pushed")], { cwd: ROOT, stdio: "inherit" });
}

/** Makes `hum.wav`, `song.wav` and, where there is a clip of it, `voice.wav` of a real singer. */
function makeVoices(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "hum.wav"), encodeWav(hum(), HUM_RATE));
  writeFileSync(join(folder, "song.wav"), encodeWav(sungSong(), HUM_RATE));
  const clip = join(resolve(ROOT, process.env.SWARA_SHARED ?? "../shared"), "recordings", VOICE_CLIP);
  if (!existsSync(clip)) return;
  const convert = "import sys, soundfile; soundfile.write(sys.argv[2], *soundfile.read(sys.argv[1]), subtype='PCM_16')";
  execFileSync(PYTHON, ["-c", convert, clip, join(folder, "voice.wav")], { cwd: ROOT, stdio: "inherit" });
}
