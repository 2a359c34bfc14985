/** Starts Chromium so that WebGL runs without a graphics card. */

import { type Browser, chromium } from "playwright-core";

const LAUNCH_MS = 30_000;

/** Starts Chromium with a fresh profile in the temporary folder, which goes when the browser is closed or this process ends. */
export function launchChromium(executable: string): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    timeout: LAUNCH_MS,
    // Playwright's --disable-gpu would take WebGL away as well.
    ignoreDefaultArgs: ["--disable-gpu"],
    args: [
      "--no-sandbox", // Chromium refuses to run as root, as in a container, with its sandbox
      "--disable-dev-shm-usage", // a container's /dev/shm is too small
      "--use-gl=angle",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--disable-gpu-watchdog", // a slow software GPU is not a hung one
      "--no-proxy-server",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
