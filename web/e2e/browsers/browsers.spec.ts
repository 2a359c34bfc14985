import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { duration } from "../../page/song/score.ts";
import { HUM_RATE, hum } from "../../page/sound/hum.ts";
import { following, level, pitchTrack } from "../measure_audio.ts";
import { voiceFile } from "../page.ts";
import { Server } from "../server.ts";
import { SONG } from "../sung_song.ts";
import type { Driver } from "./driver.ts";
import { firefox } from "./firefox.ts";
import { Player } from "./player.ts";
import { webkit } from "./webkit.ts";

const url = process.env.SWARA_E2E_URL ?? "";

for (const browser of [firefox, webkit]) {
  test.describe(browser.name, () => {
    const missing = browser.missing();
    test.skip(missing !== null, missing ?? "");
    test.describe.configure({ timeout: 180_000 }); // both render in software, ten times slower on a busy machine

    let driver: Driver;
    let player: Player;
    test.beforeAll(async () => {
      driver = await browser.launch();
      player = new Player(driver);
    });
    test.afterAll(async () => {
      await driver?.close();
    });

    test(`${browser.name}: the page shows its instruments, and a hummed sample sounds as one`, async () => {
      await player.open(url);
      expect(await driver.evaluate(() => document.title)).toBe("Swara");
      expect(await driver.evaluate(() => document.querySelectorAll("label.instrument").length)).toBeGreaterThan(0);
      await player.press("Use a hummed sample");
      await player.shows(/analysed in .* ms, played in .* ms/);
      await player.press("Play");
      const { loudspeaker, rate } = await player.records(5_000);
      expect(level(loudspeaker)).toBeGreaterThan(0.003);
      expectSameMelody(pitchTrack(hum(), HUM_RATE), pitchTrack(loudspeaker, rate, 0.002));
      await player.isCalm(url);
    });

    test(`${browser.name}: a file is opened and played, before and after`, async () => {
      await player.open(url);
      await player.openFile(voiceFile("hum") ?? "");
      await player.shows(/analysed in .* ms, played in .* ms/);
      expect(await driver.evaluate(() => document.querySelector("#take-title")?.textContent)).toBe("hum");
      const levels: number[] = [];
      for (const side of ["Before", "After"]) {
        await player.choose(side);
        await player.press("Play");
        let loud = 0;
        const sounding = async () => {
          loud = level((await player.records(1_000)).loudspeaker);
          return loud;
        };
        await expect.poll(sounding).toBeGreaterThan(0.003);
        await player.press("Stop");
        levels.push(loud);
      }
      expect(levels[0]).not.toBeCloseTo(levels[1] ?? 0, 4);
      await player.isCalm(url);
    });

    test(`${browser.name}: a voice comes out as the instrument, live, and the page requests nothing meanwhile`, async () => {
      await player.open(url);
      await player.sing(voiceFile("hum") ?? "");
      await player.choose("I am wearing headphones");
      await player.press("Sing live");
      await player.listens();
      const prepared = (await player.requests()).length;
      const recorded = await player.records(4_000);
      expect((await player.requests()).slice(prepared)).toEqual([]);
      await player.press("Stop");
      expect(level(recorded.loudspeaker)).toBeGreaterThan(0.003);
      const run = following(
        pitchTrack(recorded.microphone, recorded.rate),
        pitchTrack(recorded.loudspeaker, recorded.rate, 0.002),
      );
      expect(run.frames).toBeGreaterThan(50);
      expect(run.cents).toBeLessThan(30);
      await player.isCalm(url);
    });

    test(`${browser.name}: a song is sung along and judged`, async () => {
      await player.open(url);
      await player.singWithoutLoss(voiceFile("song") ?? "");
      await player.press("Sing along");
      await player.select("Song", SONG.title);
      await player.choose("I am wearing headphones");
      await player.press("Sing");
      await player.listens();
      const during = await player.records(3_000);
      expect(level(during.loudspeaker)).toBeGreaterThan(0.003); // the drone
      await player.shows(/^In tune for/m, 1000 * duration(SONG) + 10_000);
      const verdict = /In tune for (\d+)\s*%/.exec(await player.text());
      expect(Number(verdict?.[1])).toBeGreaterThanOrEqual(70);
      await player.shows(/played in/);
      await player.isCalm(url);
    });

    test(`${browser.name}: keys sound at their pitches, and end`, async () => {
      await player.open(url);
      await player.press("Keys");
      await player.slide("Vibrato", 0);
      const low = await driver.evaluate(() => Number(document.querySelector("[data-midi]")?.getAttribute("data-midi")));
      for (const [key, semitones] of [
        ["a", 0],
        ["g", 7],
      ] as const) {
        const pressed = async () => {
          await driver.keyUp(key); // what is pressed before the page attends to keys is lost
          await driver.keyDown(key);
          const isDown = (midi: number) => document.querySelector(`[data-midi="${midi}"]`)?.ariaPressed;
          return driver.evaluate(isDown, low + semitones);
        };
        await expect.poll(pressed, { timeout: 20_000 }).toBe("true");
        const sounding = async () => level((await player.records(300)).loudspeaker);
        await expect.poll(sounding, { timeout: 20_000 }).toBeGreaterThan(0.003);
        await new Promise((later) => setTimeout(later, 400));
        const { loudspeaker, rate } = await player.records(900);
        await driver.keyUp(key);
        expect(level(loudspeaker)).toBeGreaterThan(0.003);
        const track = pitchTrack(loudspeaker, rate, 0.003)
          .filter(Number.isFinite)
          .sort((a, b) => a - b);
        expect(Math.abs((track[track.length >> 1] ?? Number.NaN) - (low + semitones))).toBeLessThan(0.3);
      }
      await new Promise((later) => setTimeout(later, 1_500));
      expect(level((await player.records(500)).loudspeaker)).toBeLessThan(0.001); // all keys are up
      await player.isCalm(url);
    });

    test(`${browser.name}: it works without a network after the first visit`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "swara-e2e-"));
      symlinkSync(join(process.env.SWARA_E2E_FOLDER ?? "", "pushed"), join(folder, "pushed"));
      const server = await Server.start(folder);
      try {
        await player.open(server.url);
        expect(server.url).not.toBe(url);
      } finally {
        await server.stop(); // from here on no host answers
      }
      await driver.reload();
      await player.isReady();
      await player.press("Use a hummed sample");
      await player.shows(/played in/);
      rmSync(folder, { recursive: true });
    });
  });
}

/** Checks that a melody is played at the pitches of another, from its first note on. */
function expectSameMelody(sung: readonly number[], played: readonly number[]): void {
  const begun = (track: readonly number[]) => track.slice(track.findIndex(Number.isFinite));
  const early = new Array<number>(5).fill(Number.NaN); // the instrument may begin a little before the voice
  const run = following(begun(sung), [...early, ...begun(played)]);
  expect(run.frames).toBeGreaterThan(50);
  expect(run.cents).toBeLessThan(30);
}
