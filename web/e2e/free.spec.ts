import { readFileSync } from "node:fs";
import { encodeWav } from "../page/sound/wav.ts";
import { startRecording, stopRecording } from "./audio_tap.ts";
import { following, level, pitchTrack } from "./measure_audio.ts";
import { expect, open, singing, skipWithoutBrowser, test, voiceFile } from "./page.ts";

skipWithoutBrowser();
test.use({ launchOptions: singing("voice"), permissions: ["microphone"] });

test("a voice comes out as the instrument, live, and the page requests nothing meanwhile", async ({
  page,
  url,
  watch,
}, info) => {
  test.skip(voiceFile("voice") === null, "SWARA_SHARED names no folder with recordings/voice");
  await open(page, url);
  await page.getByRole("switch", { name: "I am wearing headphones" }).check();
  const before = watch.requests.length;
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
  const prepared = watch.requests.length; // what live playing needs is fetched before the microphone opens
  await startRecording(page);
  await page.waitForTimeout(12_000);
  await page.screenshot({ path: info.outputPath("live.png"), fullPage: true });
  const recorded = await stopRecording(page);
  expect(watch.requests.slice(prepared)).toEqual([]);
  expect(prepared).toBeGreaterThanOrEqual(before);
  await page.getByRole("button", { name: "Stop", exact: true }).click();

  expect(level(recorded.loudspeaker)).toBeGreaterThan(0.003);
  const run = following(
    pitchTrack(recorded.microphone, recorded.rate),
    pitchTrack(recorded.loudspeaker, recorded.rate, 0.002),
  );
  info.annotations.push({ type: "f0", description: JSON.stringify(run) });
  expect(run.frames).toBeGreaterThan(100);
  expect(run.cents).toBeLessThan(30);
  watch.expectCalm(url);
});

test("a hummed sample is shown, played before and after, and downloaded", async ({ page, url, watch }, info) => {
  await open(page, url);
  await page.getByRole("button", { name: "Use a hummed sample" }).click();
  await expect(page.getByRole("heading", { name: "Hummed sample" })).toBeVisible();
  await expect(page.getByText(/analysed in .* ms, played in .* ms/)).toBeVisible();

  const files: Record<string, { track: number[]; audio: Float32Array }> = {};
  for (const side of ["Before", "After"]) {
    await page.getByRole("radio", { name: new RegExp(`^${side}`) }).check({ force: true });
    await startRecording(page);
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await page.waitForTimeout(2_500);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    const recorded = await stopRecording(page);
    expect(level(recorded.loudspeaker)).toBeGreaterThan(0.003);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download WAV" }).click(),
    ]);
    const { audio, rate } = readWav(readFileSync(await download.path()));
    expect(level(audio)).toBeGreaterThan(0.003);
    files[side] = { track: pitchTrack(audio, rate, 0.003), audio };
  }
  const run = following(files.Before?.track ?? [], files.After?.track ?? []);
  expect(run.frames).toBeGreaterThan(100);
  expect(run.cents).toBeLessThan(30);
  expect(files.After?.audio).not.toEqual(files.Before?.audio);
  await expect(page.locator("dl.figures")).toContainText(/Memory\s*[\d.]+ [kM]B/);
  await page.screenshot({ path: info.outputPath("take.png"), fullPage: true });
  watch.expectCalm(url);
});

test("a control changes what is played: the octave moves the take's pitch", async ({ page, url, watch }) => {
  await open(page, url);
  await page.getByRole("button", { name: "Use a hummed sample" }).click();
  const pitch = async () => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download WAV" }).click(),
    ]);
    const { audio, rate } = readWav(readFileSync(await download.path()));
    return pitchTrack(audio, rate, 0.003);
  };
  await expect(page.getByText(/played in/)).toBeVisible();
  const middle = await pitch();
  const figures = await page.locator(".take-figures").textContent();
  await page.getByRole("slider", { name: "Octave" }).press("ArrowRight");
  await expect(page.locator(".take-figures")).not.toHaveText(figures ?? "");
  const moved = (await pitch()).map((midi, frame) => midi - (middle[frame] ?? Number.NaN)).filter(Number.isFinite);
  expect(moved.length).toBeGreaterThan(100);
  expect(moved.sort((a, b) => a - b)[moved.length >> 1]).toBeCloseTo(12, 0);
  watch.expectCalm(url);
});

test("a recording becomes a take", async ({ page, url, watch }) => {
  await open(page, url);
  await page.getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
  await page.waitForTimeout(6_000);
  await page.getByRole("button", { name: "Finish recording" }).click();
  await expect(page.getByRole("heading", { name: "My voice" })).toBeVisible();
  await expect(page.getByText(/% notes/)).toBeVisible();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeHidden();
  watch.expectCalm(url);
});

test("a file is opened, and one that nothing can be made of is refused with a message", async ({
  page,
  url,
  watch,
}) => {
  await open(page, url);
  const chooser = page.locator('input[type="file"]');
  const broken = Float32Array.from({ length: 48_000 }, (_, i) => 0.1 * Math.sin(i / 30)).with(24_000, Number.NaN);
  for (const [name, buffer, why] of [
    ["notes.txt", Buffer.from("do re mi"), "notes.txt is not a sound file"],
    ["empty.wav", Buffer.alloc(0), "empty.wav is not a sound file"],
    ["short.wav", Buffer.from(encodeWav(new Float32Array(480), 48_000)), "short.wav is too short"],
    [
      "broken.wav",
      floatWav(broken, 48_000),
      "broken.wav holds samples that are no sound (NaN, infinite or far too loud) at 0.5 s",
    ],
    ["silent.wav", floatWav(new Float32Array(48_000), 48_000), "No note was found in silent"],
  ] as const) {
    await chooser.setInputFiles({ name, mimeType: "audio/wav", buffer });
    await expect(page.getByRole("alert")).toContainText(why);
    await page.getByRole("button", { name: "Dismiss" }).click();
  }
  await chooser.setInputFiles(voiceFile("hum") ?? "");
  await expect(page.getByRole("heading", { name: "hum" })).toBeVisible();
  await expect(page.getByText(/played in/)).toBeVisible();
  watch.expectCalm(url);
});

test("another instrument can be chosen, and plays the same take", async ({ page, url, watch }) => {
  await open(page, url);
  const instruments = page.getByRole("group", { name: "Instrument" }).getByRole("radio");
  test.skip((await instruments.count()) < 2, "only one instrument is published");
  await page.getByRole("button", { name: "Use a hummed sample" }).click();
  await expect(page.getByText(/played in/)).toBeVisible();
  const figures = await page.locator(".take-figures").textContent();
  await instruments.nth(1).check({ force: true });
  await expect(page.locator(".take-figures")).not.toHaveText(figures ?? "");
  await expect(page.getByRole("alert")).toHaveCount(0);
  watch.expectCalm(url);
});

test("an instrument in bytes, without a room, at a rate of its own, with RMS as an input, follows as well", async ({
  page,
  url,
  watch,
}) => {
  await page.goto(`${url}?instrument=saxophone`);
  const instrument = page.getByRole("group", { name: "Instrument" }).getByRole("radio", { checked: true });
  await expect(page.getByRole("button", { name: "Sing live" })).toBeEnabled();
  test.skip(process.env.SWARA_PUSHED !== undefined, "other instruments are published");
  await expect(instrument).toHaveAccessibleName(/saxophone/);
  await page.getByRole("switch", { name: "I am wearing headphones" }).check();
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
  await startRecording(page);
  await page.waitForTimeout(3_000);
  const recorded = await stopRecording(page);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  const run = following(
    pitchTrack(recorded.microphone, recorded.rate),
    pitchTrack(recorded.loudspeaker, recorded.rate, 0.002),
  );
  expect(run.frames).toBeGreaterThan(50);
  expect(run.cents).toBeLessThan(30);
  watch.expectCalm(url);
});

/** Encodes a mono WAV file of 32-bit floats. */
function floatWav(audio: Float32Array, rate: number): Buffer {
  const samples = Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength);
  const header = Buffer.from(encodeWav(new Float32Array(0), rate)); // of 16-bit samples
  header.writeUInt32LE(header.length - 8 + samples.length, 4);
  header.writeUInt16LE(3, 20); // floats
  header.writeUInt32LE(4 * rate, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(32, 34);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

/** Reads a 16-bit mono WAV file. */
function readWav(bytes: Buffer): { audio: Float32Array; rate: number } {
  const audio = Float32Array.from(
    { length: (bytes.length - 44) / 2 },
    (_, i) => bytes.readInt16LE(44 + 2 * i) / 32_768,
  );
  return { audio, rate: bytes.readUInt32LE(24) };
}
