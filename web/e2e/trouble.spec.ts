import type { Page } from "@playwright/test";
import { expect, open, singing, skipWithoutBrowser, test } from "./page.ts";

/** On the page: contexts and tracks that it opened. */
declare const contexts: AudioContext[];
declare const tracks: MediaStreamTrack[];

skipWithoutBrowser();
test.use({ launchOptions: singing("hum"), permissions: ["microphone"] });

test("a microphone that picks up the loudspeaker is no howl: the guard turns the sound off", async ({
  page,
  url,
  watch,
}) => {
  await loopBack(page);
  await open(page, url);
  await page.getByRole("button", { name: "Sing live" }).click();
  const shut = page.getByRole("alert").filter({ hasText: "the microphone picked up the loudspeaker" });
  await expect(shut).toBeVisible({ timeout: 20_000 });
  await expect(page.getByRole("meter", { name: "Instrument" })).toHaveAttribute("aria-valuetext", "-80 decibels");
  await page.getByRole("button", { name: "Sound on" }).click();
  await expect(shut).toBeHidden();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  watch.expectCalm(url);
});

test("a microphone that is refused is reported, and can be requested again", async ({ page, url, watch }) => {
  await page.addInitScript(() => {
    const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let refusals = 1;
    navigator.mediaDevices.getUserMedia = (constraints) =>
      refusals-- > 0 ? Promise.reject(new DOMException("no", "NotAllowedError")) : getUserMedia(constraints);
  });
  await open(page, url);
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(page.getByRole("alert")).toContainText("The microphone was refused");
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
  watch.expectCalm(url);
});

test("the browser's own echo cancelling, noise suppression and gain control are off", async ({ page, url, watch }) => {
  await page.addInitScript(() => {
    const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await getUserMedia(constraints);
      Object.assign(globalThis, { microphone: stream.getAudioTracks()[0]?.getSettings() });
      return stream;
    };
  });
  await open(page, url);
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
  expect(await page.evaluate("microphone")).toMatchObject({
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
  });
  watch.expectCalm(url);
});

test("a microphone that is unplugged, or sound that is interrupted, ends a recording, and all can begin again", async ({
  page,
  url,
  watch,
}) => {
  await page.addInitScript(() => {
    const Context = globalThis.AudioContext;
    Object.assign(globalThis, { contexts: [] as AudioContext[], tracks: [] as MediaStreamTrack[] });
    globalThis.AudioContext = class extends Context {
      constructor(options?: AudioContextOptions) {
        super(options);
        contexts.push(this);
      }
    };
    const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await getUserMedia(constraints);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  await open(page, url);
  const listening = page.getByText("Listening. Nothing leaves this device.");
  const record = page.getByRole("button", { name: "Record", exact: true });
  for (const [fault, message] of [
    [async () => void tracks.at(-1)?.dispatchEvent(new Event("ended")), null],
    [async () => void (await contexts[0]?.suspend()), "The sound stopped"],
  ] as const) {
    await record.click();
    await expect(listening).toBeVisible();
    await page.waitForTimeout(800);
    await page.evaluate(fault);
    await expect(listening).toBeHidden();
    if (message) await expect(page.getByRole("alert")).toContainText(message);
    await expect(record).toBeEnabled();
    await expect(page.getByRole("heading", { name: "My voice" })).toBeVisible();
    await expect(page.getByText(/^[01]\.\d s · .* played in/)).toBeVisible();
  }
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(listening).toBeVisible();
  await expect(page.getByRole("meter", { name: "Voice" })).not.toHaveAttribute("aria-valuetext", "-80 decibels");
  watch.expectCalm(url);
});

test("a part of the page that its host no longer has is reported, not passed over", async ({ page, url }) => {
  await page.addInitScript(() => {
    AudioWorklet.prototype.addModule = () => Promise.reject(new DOMException("Unable to load", "AbortError"));
  });
  await open(page, url);
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(page.getByRole("alert")).toContainText("load the page anew");
  await expect(page.getByRole("button", { name: "Sing live" })).toBeEnabled();
});

test("a take is shared as a WAV file where the device can", async ({ page, url, watch }) => {
  await page.addInitScript(() => {
    const shared: unknown[] = [];
    Object.assign(globalThis, { shared });
    Object.assign(navigator, {
      canShare: () => true,
      share: async ({ files }: { files: File[] }) => {
        for (const { name, type, size } of files) shared.push({ name, type, size });
      },
    });
  });
  await open(page, url);
  await page.getByRole("button", { name: "Use a hummed sample" }).click();
  await page.getByRole("button", { name: "Share" }).click();
  const [file] = (await page.evaluate("shared")) as { name: string; type: string; size: number }[];
  expect(file).toMatchObject({ name: expect.stringMatching(/^hummed-sample-.*\.wav$/), type: "audio/wav" });
  expect(file?.size).toBeGreaterThan(100_000);
  watch.expectCalm(url);
});

/** Feeds the microphone with what the loudspeaker plays, a tone that starts it all, and nothing else. */
async function loopBack(page: Page): Promise<void> {
  await page.addInitScript(() => {
    let air: MediaStreamAudioDestinationNode | null = null;
    const connect = AudioNode.prototype.connect as (...to: unknown[]) => AudioNode;
    AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
      if (this.context instanceof AudioContext && to[0] instanceof AudioDestinationNode) {
        air ??= this.context.createMediaStreamDestination();
        connect.call(this, air);
      }
      return connect.apply(this, to);
    } as typeof AudioNode.prototype.connect;
    navigator.mediaDevices.getUserMedia = async () => {
      if (!air) throw new Error("nothing is connected to the loudspeaker");
      const tone = new OscillatorNode(air.context, { type: "sawtooth", frequency: 330 });
      const gain = new GainNode(air.context, { gain: 0.2 });
      connect.call(connect.call(tone, gain), air);
      tone.start();
      tone.stop(air.context.currentTime + 1.5);
      return air.stream;
    };
  });
}
