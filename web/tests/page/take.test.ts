import { signal } from "@preact/signals";
import type { Instrument } from "swara-engine";
import { beforeEach, expect, test, vi } from "vitest";
import { analyseTake, playTake } from "../../page/clip/client.ts";
import { instrument } from "../../page/store/instruments.ts";
import { problem } from "../../page/store/notices.ts";
import { chooseSide, side } from "../../page/store/player.ts";
import { download } from "../../page/store/saving.ts";
import { rendered, setTake } from "../../page/store/take.ts";
import { melody } from "../engine/signals.ts";
import { smallInstrument } from "../engine/small_bundle.ts";

vi.mock("../../page/clip/client.ts", () => ({ analyseTake: vi.fn(), playTake: vi.fn() }));
vi.mock("../../page/sound/context.ts", () => ({ audioContext: vi.fn(), bufferOf: vi.fn() }));
vi.mock("../../page/store/instruments.ts", () => ({ instrument: signal(null) }));
vi.mock("../../page/store/studio.ts", () => ({ microphone: signal("off") }));

const RATE = 48_000;
const audio = Float32Array.from({ length: RATE }, (_, i) => 0.1 * Math.sin(i / 30));
const features = { ...melody(250), confidence: new Float32Array(250).fill(0.9) };

beforeEach(async () => {
  vi.mocked(analyseTake).mockResolvedValue(features);
  vi.mocked(playTake).mockImplementation(async () => audio.map((sample) => -sample));
  instrument.value = await smallInstrument({});
  problem.value = "";
});

test("a take has a side before and a side after", async () => {
  setTake({ title: "My voice", audio, sampleRate: RATE, kind: "voice" });
  await vi.waitFor(() => expect(rendered.value).not.toBeNull());
  expect(rendered.value).toMatchObject({ only: null, before: audio });
  expect(rendered.value?.after).not.toEqual(audio);
});

for (const [what, fault] of [
  ["cannot be rendered", () => vi.mocked(playTake).mockRejectedValue(new Error("no memory"))],
  ["cannot be analysed", () => vi.mocked(analyseTake).mockRejectedValue(new Error("no memory"))],
] as const) {
  test(`a voice that ${what} is kept, and can be played and downloaded as it was sung`, async () => {
    fault();
    setTake({ title: "My voice", audio, sampleRate: RATE, kind: "voice" });
    await vi.waitFor(() => expect(problem.value).toBe("no memory"));
    expect(rendered.value).toMatchObject({ only: "before", before: audio, sampleRate: RATE });
    expect(nameOfDownload()).toBe("my-voice-voice.wav");
  });
}

test("what keys played stays what it was played on, whichever instrument and side are chosen", async () => {
  const flute = await named("flute");
  const oboe = await named("oboe");
  instrument.value = flute;
  chooseSide("before");
  setTake({ title: "My phrase", audio, sampleRate: RATE, kind: "keys", playedOn: flute });
  instrument.value = oboe;
  expect(rendered.value).toMatchObject({ only: "after", after: audio });
  expect(rendered.value?.instrument).toBe(flute);
  expect(side.value).toBe("after");
  expect(nameOfDownload()).toBe("my-phrase-flute.wav");
});

async function named(name: string): Promise<Instrument> {
  const made = await smallInstrument({});
  return { ...made, manifest: { ...made.manifest, instrument: { ...made.manifest.instrument, name } } };
}

function nameOfDownload(): string {
  const link = { href: "", download: "", click: () => undefined };
  vi.stubGlobal("document", { createElement: () => link });
  const made = rendered.value;
  if (made) download(made, side.value);
  vi.unstubAllGlobals();
  return link.download;
}
