import type { Page } from "@playwright/test";
import { type RecordedAudio, startRecording, stopRecording } from "./audio_tap.ts";
import { level, pitchTrack } from "./measure_audio.ts";
import { expect, open, singing, skipWithoutBrowser, test } from "./page.ts";

skipWithoutBrowser();
test.use({ launchOptions: singing("hum") });

async function openKeys(page: Page, url: string): Promise<void> {
  await open(page, url);
  await page.getByRole("tab", { name: "Keys" }).click();
  await page.getByRole("slider", { name: "Vibrato", exact: true }).fill("0");
}

/** Finds the MIDI number of the leftmost key. */
async function home(page: Page): Promise<number> {
  return Number(await page.locator("[data-midi]").first().getAttribute("data-midi"));
}

function median(recorded: RecordedAudio): number {
  const track = pitchTrack(recorded.loudspeaker, recorded.rate, 0.003).filter(Number.isFinite);
  return track.sort((a, b) => a - b)[track.length >> 1] ?? Number.NaN;
}

test("a phrase on the computer's keyboard sounds, note by note, at its pitches", async ({ page, url, watch }, info) => {
  await openKeys(page, url);
  const low = await home(page);
  for (const [key, semitones] of [
    ["a", 0],
    ["d", 4],
    ["g", 7],
    ["w", 1],
  ] as const) {
    await page.keyboard.down(key);
    await page.waitForTimeout(700);
    await startRecording(page);
    await page.waitForTimeout(900);
    const recorded = await stopRecording(page);
    if (key === "g") await page.screenshot({ path: info.outputPath("keys.png"), fullPage: true });
    await expect(page.locator(`[data-midi="${low + semitones}"]`)).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.up(key);
    expect(level(recorded.loudspeaker)).toBeGreaterThan(0.003);
    expect(Math.abs(median(recorded) - (low + semitones))).toBeLessThan(0.3);
  }
  await page.waitForTimeout(1_500);
  await startRecording(page);
  await page.waitForTimeout(500);
  expect(level((await stopRecording(page)).loudspeaker)).toBeLessThan(0.001); // all keys are up
  watch.expectCalm(url);
});

test("keys answer to fingers, to arrows and space, and to a MIDI keyboard with its wheel", async ({
  page,
  url,
  watch,
}) => {
  await page.addInitScript(() => {
    // Hardware that no test machine has: one MIDI keyboard.
    const input = { name: "Test keyboard", onmidimessage: null as ((event: { data: Uint8Array }) => void) | null };
    Object.assign(globalThis, { play: (...data: number[]) => input.onmidimessage?.({ data: Uint8Array.from(data) }) });
    const access = { inputs: new Map([["1", input]]), onstatechange: null };
    Object.defineProperty(navigator, "requestMIDIAccess", { value: async () => access });
  });
  await openKeys(page, url);
  const low = await home(page);
  const playedPitch = async () => {
    await page.waitForTimeout(600);
    await startRecording(page);
    await page.waitForTimeout(700);
    return median(await stopRecording(page));
  };
  const key = page.locator(`[data-midi="${low + 5}"]`);
  const box = await key.boundingBox();
  await page.mouse.move((box?.x ?? 0) + 10, (box?.y ?? 0) + (box?.height ?? 0) - 10);
  await page.mouse.down();
  expect(Math.abs((await playedPitch()) - (low + 5))).toBeLessThan(0.3);
  await page.mouse.up();

  await key.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.down("Space");
  expect(Math.abs((await playedPitch()) - (low + 6))).toBeLessThan(0.3);
  await page.keyboard.up("Space");

  await page.getByRole("button", { name: "Connect a MIDI keyboard" }).click();
  await expect(page.locator(".transport").getByText("Test keyboard")).toBeVisible();
  const send = (...data: number[]) => page.evaluate((bytes) => (globalThis as unknown as Midi).play(...bytes), data);
  await send(0x90, low + 9, 100);
  expect(Math.abs((await playedPitch()) - (low + 9))).toBeLessThan(0.3);
  await send(0xe0, 0, 96); // a semitone up
  expect(Math.abs((await playedPitch()) - (low + 10))).toBeLessThan(0.3);
  await send(0x80, low + 9, 0);
  await expect(page.locator('[aria-pressed="true"][data-midi]')).toHaveCount(0);
  watch.expectCalm(url);
});

test("a key that is held sounds on when another instrument is chosen, and no key stays down by itself", async ({
  page,
  url,
  watch,
}) => {
  await openKeys(page, url);
  const instruments = page.getByRole("group", { name: "Instrument" }).getByRole("radio");
  test.skip((await instruments.count()) < 2, "only one instrument is published");
  const low = await home(page);
  await page.keyboard.down("d");
  await page.waitForTimeout(300);
  await instruments.nth(1).check({ force: true });
  await expect(page.getByText(/ is ready\.$/)).toBeVisible();
  await page.waitForTimeout(400);
  await startRecording(page);
  await page.waitForTimeout(500);
  expect(Math.abs(median(await stopRecording(page)) - (low + 4))).toBeLessThan(0.3);
  await page.keyboard.up("d");

  // The focus moves while a key is held by the space bar.
  await page.locator("[data-midi]").first().focus();
  for (const leave of ["ArrowRight", "Tab"]) {
    await page.keyboard.down("Space");
    await page.keyboard.press(leave);
    await page.keyboard.up("Space");
    await expect(page.locator('[aria-pressed="true"][data-midi]')).toHaveCount(0);
  }
  await page.waitForTimeout(800);
  await startRecording(page);
  await page.waitForTimeout(300);
  expect(level((await stopRecording(page)).loudspeaker)).toBeLessThan(0.001);
  watch.expectCalm(url);
});

test("what the keys play can be recorded and kept", async ({ page, url, watch }) => {
  await openKeys(page, url);
  await page.getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.getByRole("button", { name: "Finish recording" })).toBeVisible();
  await page.keyboard.down("s");
  await page.waitForTimeout(800);
  await page.keyboard.up("s");
  await page.getByRole("button", { name: "Finish recording" }).click();
  await expect(page.getByRole("heading", { name: "My phrase" })).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download WAV" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^my-phrase-.*\.wav$/);
  watch.expectCalm(url);
});

interface Midi {
  play(...data: number[]): void;
}
