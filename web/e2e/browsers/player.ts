/** The player as someone uses it, in whichever browser: what can be pressed, what is shown, what went wrong. */

import { readFileSync } from "node:fs";
import { expect } from "@playwright/test";
import { type RecordedAudio, startRecording, stopRecording, tapAudio } from "../audio_tap.ts";
import type { Driver } from "./driver.ts";

const LOAD_MS = 60_000;
const LISTENING = "Listening. Nothing leaves this device.";

/** On the page: what `watch` noted. */
declare const errors: string[];

export class Player {
  readonly driver: Driver;

  constructor(driver: Driver) {
    this.driver = driver;
  }

  /** Opens the page, waits for an instrument and for the service worker, and watches it from then on. */
  async open(url: string): Promise<void> {
    await this.driver.open(url);
    await this.isReady();
    await this.driver.evaluate(watch);
    await this.driver.evaluate(tapAudio);
  }

  async isReady(): Promise<void> {
    await this.shows("Works without a network from now on.");
    await this.isEnabled("//button[normalize-space(.)='Sing live']");
  }

  /** Has the microphone play a WAV file from its beginning each time it is opened. */
  async sing(wav: string): Promise<void> {
    await this.driver.evaluate(mockMicrophone, readFileSync(wav).toString("base64"));
  }

  /** The same within the page's own graph: on a busy machine WebKitGTK loses parts of a stream, up to a third of a song. */
  async singWithoutLoss(wav: string): Promise<void> {
    await this.driver.evaluate(mockSource, readFileSync(wav).toString("base64"));
  }

  async press(button: string): Promise<void> {
    const xpath = `//button[normalize-space(.)='${button}']`;
    await this.isEnabled(xpath);
    await this.driver.click(xpath);
  }

  /** Turns a switch or a choice by its label. */
  async choose(label: string): Promise<void> {
    await this.driver.click(`//label[starts-with(normalize-space(.), '${label}')]`);
  }

  /** Chooses an option of the list that has a label. */
  async select(label: string, option: string): Promise<void> {
    await this.driver.evaluate(
      (name, text) => {
        const labels = [...document.querySelectorAll("label")];
        const list = labels.find((one) => one.textContent?.trim() === name)?.control as HTMLSelectElement;
        list.selectedIndex = [...list.options].findIndex((one) => one.text.trim() === text);
        list.dispatchEvent(new Event("change", { bubbles: true }));
      },
      label,
      option,
    );
  }

  /** Moves the slider that has a label. */
  async slide(label: string, value: number): Promise<void> {
    await this.driver.evaluate(
      (name, to) => {
        const labels = [...document.querySelectorAll("label")];
        const slider = labels.find((one) => one.textContent?.trim() === name)?.control as HTMLInputElement;
        slider.value = String(to);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      },
      label,
      value,
    );
  }

  async openFile(path: string): Promise<void> {
    await this.driver.chooseFile("//input[@type='file']", path);
  }

  text(): Promise<string> {
    return this.driver.evaluate(() => document.body.innerText);
  }

  async shows(text: string | RegExp, timeout = LOAD_MS): Promise<void> {
    const isThere = typeof text === "string" ? expect.stringContaining(text) : expect.stringMatching(text);
    await expect.poll(() => this.text(), { timeout }).toEqual(isThere);
  }

  listens(): Promise<void> {
    return this.shows(LISTENING);
  }

  async records(milliseconds: number): Promise<RecordedAudio> {
    await startRecording(this.driver);
    await new Promise((later) => setTimeout(later, milliseconds));
    return stopRecording(this.driver);
  }

  /** Lists what the page requested since it was opened. */
  requests(): Promise<string[]> {
    return this.driver.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
  }

  /** Checks that there was no error, no alert, and no request to another origin. */
  async isCalm(url: string): Promise<void> {
    expect(await this.driver.evaluate(() => errors)).toEqual([]);
    const alerts = () => [...document.querySelectorAll("[role=alert]")].map((alert) => alert.textContent ?? "");
    expect(await this.driver.evaluate(alerts)).toEqual([]);
    expect((await this.requests()).filter((one) => !one.startsWith(url) && !one.startsWith("blob:"))).toEqual([]);
  }

  private async isEnabled(xpath: string): Promise<void> {
    const enabled = (path: string) => {
      const found = document.evaluate(path, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
      return found instanceof HTMLButtonElement && !found.disabled;
    };
    const message = `${xpath} is enabled`;
    await expect.poll(() => this.driver.evaluate(enabled, xpath), { message, timeout: LOAD_MS }).toBe(true);
  }
}

/** Notes errors. It is run in the page. */
function watch(): void {
  const errors: string[] = [];
  Object.assign(globalThis, { errors });
  addEventListener("error", (event) => errors.push(event.message));
  addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
  for (const kind of ["error", "warn"] as const) {
    Object.assign(globalThis.console, { [kind]: (...values: unknown[]) => errors.push(values.join(" ")) });
  }
}

/** Replaces the microphone by a stream that plays a WAV file, in base64. It is run in the page. */
async function mockMicrophone(wav: string): Promise<void> {
  const bytes = Uint8Array.from(atob(wav), (character) => character.charCodeAt(0));
  const voice = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes.buffer);
  const getUserMedia = async () => {
    const context = new AudioContext();
    const microphone = context.createMediaStreamDestination();
    const source = new AudioBufferSourceNode(context, { buffer: voice });
    source.connect(microphone);
    source.start();
    Object.assign(globalThis, { singer: { context, source } }); // so that it is not collected while it sings
    return microphone.stream;
  };
  Object.assign(MediaDevices.prototype, { getUserMedia }); // WebKit forgets what is set on the one device
}

/** Replaces the microphone by a silent stream, and its source by one of a WAV file, in base64. It is run in the page. */
async function mockSource(wav: string): Promise<void> {
  const bytes = Uint8Array.from(atob(wav), (character) => character.charCodeAt(0));
  const voice = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes.buffer);
  const getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream;
  Object.assign(MediaDevices.prototype, { getUserMedia });
  Object.assign(AudioContext.prototype, {
    createMediaStreamSource(this: AudioContext) {
      const source = new AudioBufferSourceNode(this, { buffer: voice });
      source.start();
      Object.assign(globalThis, { singer: source }); // so that it is not collected while it sings
      return source;
    },
  });
}
