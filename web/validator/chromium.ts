/** Starts Chromium so that WebGL runs without a graphics card. */

import { type Browser, chromium } from "playwright-core";
import { FLAGS } from "../chromium.ts";

const LAUNCH_MS = 30_000;

export interface ChromiumOptions {
  /** Added to this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Uses the machine's loudspeaker and its microphone. */
  readonly audible?: boolean;
}

/**
 * Starts Chromium with a fresh profile in the temporary folder, removed when the browser or this process ends.
 *
 * It has its sandbox but for root, with whom it refuses to run in one, and where the system has none to offer, as most
 * containers.
 */
export async function launchChromium(executable: string, options: ChromiumOptions = {}): Promise<Browser> {
  if (process.getuid?.() === 0) return launch(executable, options, false);
  try {
    return await launch(executable, options, true);
  } catch (error) {
    if (!/no usable sandbox|sandboxing failed/i.test(String(error))) throw error;
    return launch(executable, options, false);
  }
}

function launch(executable: string, options: ChromiumOptions, chromiumSandbox: boolean): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    chromiumSandbox, // without, Playwright adds --no-sandbox
    timeout: LAUNCH_MS,
    // Playwright's --disable-gpu would take WebGL away as well.
    ignoreDefaultArgs: ["--disable-gpu", ...(options.audible ? ["--mute-audio"] : [])],
    env: { ...process.env, ...options.environment },
    args: [
      ...FLAGS,
      ...(options.audible ? ["--use-fake-ui-for-media-stream"] : []), // the microphone is granted
      "--use-gl=angle",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--disable-gpu-watchdog", // a slow software GPU is not a hung one
    ],
  });
}
