/** Firefox, through WebDriver BiDi, with a sound server of its own whose loudspeaker is silent. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer, { type KeyInput } from "puppeteer-core";
import { findProgram } from "../../chromium.ts";
import { type Browser, type Driver, Helper } from "./driver.ts";

const PROGRAMS = ["firefox-esr", "firefox"];

export const firefox: Browser = {
  name: "Firefox",
  missing() {
    if (findProgram(...PROGRAMS) === null) return "no Firefox on the PATH: install firefox-esr";
    // Without an output device Firefox never starts an AudioContext.
    if (findProgram("pulseaudio") === null) return "no sound server for Firefox on the PATH: install pulseaudio";
    return null;
  },
  async launch(): Promise<Driver> {
    const executablePath = findProgram(...PROGRAMS);
    if (executablePath === null) throw new Error("there is no Firefox");
    const folder = mkdtempSync(join(tmpdir(), "swara-sound-"));
    const socket = join(folder, "socket");
    const sound = await startSound(folder, socket);
    const browser = await puppeteer.launch({
      browser: "firefox",
      executablePath,
      headless: true,
      env: { ...process.env, PULSE_SERVER: `unix:${socket}` },
    });
    const page = (await browser.pages())[0] ?? (await browser.newPage());
    return {
      open: async (url) => void (await page.goto(url)),
      reload: async () => void (await page.reload()),
      evaluate: (script, ...values) => page.evaluate(script as never, ...values) as never,
      click: async (xpath) => page.locator(`::-p-xpath(${xpath})`).click(),
      async chooseFile(xpath, path) {
        const input = await page.$(`::-p-xpath(${xpath})`);
        await (input as Awaited<ReturnType<typeof page.$<"input">>>)?.uploadFile(path);
      },
      keyDown: (key) => page.keyboard.down(key as KeyInput),
      keyUp: (key) => page.keyboard.up(key as KeyInput),
      async close() {
        await browser.close();
        await sound.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

/** Starts PulseAudio with a loudspeaker that plays into nothing, apart from any that the player may run. */
async function startSound(folder: string, socket: string): Promise<Helper> {
  const modules = ["module-null-sink", `module-native-protocol-unix socket=${socket} auth-anonymous=1`];
  const options = ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes"];
  const sound = new Helper("pulseaudio", [...options, ...modules.map((module) => `--load=${module}`)], {
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    XDG_CONFIG_HOME: folder,
    PULSE_RUNTIME_PATH: folder,
    PULSE_STATE_PATH: folder,
  });
  await sound.until(() => existsSync(socket));
  return sound;
}
