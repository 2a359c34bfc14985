/** The browser of these tests: the machine's Chromium, with a file for a microphone. */

import type { LaunchOptions } from "@playwright/test";
import { FLAGS, findChromium } from "../chromium.ts";

/**
 * Makes Chromium's launch options.
 *
 * @param voice WAV file that the microphone plays in, once and from its beginning each time it is opened.
 */
export function launchOptions(voice: string): LaunchOptions {
  const executablePath = findChromium();
  return {
    ...(executablePath !== null && { executablePath }),
    args: [
      ...FLAGS,
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${voice}%noloop`,
    ],
  };
}
