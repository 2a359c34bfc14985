import { duration } from "../page/song/score.ts";
import { startRecording, stopRecording } from "./audio_tap.ts";
import { level } from "./measure_audio.ts";
import { expect, open, singing, skipWithoutBrowser, test } from "./page.ts";
import { SONG } from "./sung_song.ts";

skipWithoutBrowser();
test.use({ launchOptions: singing("song"), permissions: ["microphone"] });

test("a song is sung along, judged, and played back as the instrument over the drone", async ({
  page,
  url,
  watch,
}, info) => {
  await open(page, url);
  await page.getByRole("tab", { name: "Sing along" }).click();
  await page.getByLabel("Song").selectOption(SONG.title);
  await page.getByRole("switch", { name: "I am wearing headphones" }).check();
  await page.getByRole("button", { name: "Sing", exact: true }).click();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
  const prepared = watch.requests.length;
  await startRecording(page);
  await page.waitForTimeout(9_000);
  await page.screenshot({ path: info.outputPath("song.png"), fullPage: true });
  const during = await stopRecording(page);
  expect(level(during.loudspeaker)).toBeGreaterThan(0.003); // the drone
  await expect(page.getByText(/^In tune for/)).toBeVisible({ timeout: 1000 * duration(SONG) + 10_000 });
  expect(watch.requests.slice(prepared)).toEqual([]);

  const verdict = (await page.getByText(/^In tune for/).textContent()) ?? "";
  info.annotations.push({ type: "verdict", description: verdict });
  expect(Number(/for (\d+) %/.exec(verdict)?.[1])).toBeGreaterThanOrEqual(70);
  await expect(page.getByRole("heading", { name: SONG.title })).toBeVisible();
  await expect(page.getByText(/played in/)).toBeVisible();
  await startRecording(page);
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.waitForTimeout(3_000);
  const after = await stopRecording(page);
  expect(level(after.loudspeaker)).toBeGreaterThan(0.003);
  await page.screenshot({ path: info.outputPath("song-take.png"), fullPage: true });
  watch.expectCalm(url);
});

test("a song can be ended early, and begun again", async ({ page, url, watch }) => {
  await open(page, url);
  await page.getByRole("tab", { name: "Sing along" }).click();
  for (const accompaniment of ["Metronome", "Tanpura"]) {
    await page.getByLabel("Under it").selectOption(accompaniment);
    await page.getByRole("button", { name: "Sing", exact: true }).click();
    await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
    await page.waitForTimeout(500);
    await page.getByRole("button", { name: "End the song" }).click();
    await expect(page.getByText("Listening. Nothing leaves this device.")).toBeHidden();
  }
  watch.expectCalm(url);
});

test("the drone alone ends where its switch is left, and no end clicks", async ({ page, url, watch }) => {
  await open(page, url);
  await page.getByRole("tab", { name: "Sing along" }).click();
  const drone = page.getByRole("switch", { name: "Drone, to find your Sa" });
  for (const end of [() => page.getByRole("tab", { name: "Keys" }).click(), () => drone.uncheck({ force: true })]) {
    await page.getByRole("tab", { name: "Sing along" }).click();
    await drone.check({ force: true });
    await page.waitForTimeout(1_500);
    await startRecording(page);
    await page.waitForTimeout(500);
    await end();
    await page.waitForTimeout(700);
    const { loudspeaker, rate } = await stopRecording(page);
    expect(level(loudspeaker.subarray(0, rate / 4))).toBeGreaterThan(0.003);
    expect(level(loudspeaker.subarray(-rate / 4))).toBe(0);
    await page.getByRole("tab", { name: "Sing along" }).click();
    await expect(drone).not.toBeChecked();
  }
  watch.expectCalm(url);
});
