import { signal } from "@preact/signals";
import { createLiveInstrument } from "swara-engine";
import { beforeEach, expect, test, vi } from "vitest";
import { wake } from "../../page/sound/context.ts";
import * as settings from "../../page/store/settings.ts";
import { openStudio } from "../../page/store/studio.ts";

vi.mock("swara-engine", async (original) => ({ ...(await original<object>()), createLiveInstrument: vi.fn() }));
vi.mock("../../page/clip/client.ts", () => ({ prepareTakes: vi.fn() }));
vi.mock("../../page/store/instruments.ts", () => ({ instrument: signal({}) }));
vi.mock("../../page/sound/recorder.ts", () => ({ Recorder: vi.fn(class {}) }));
const context = vi.hoisted(() => {
  const node = { connect: (next: unknown) => next, gain: { setTargetAtTime: () => undefined } };
  return { node, createGain: () => node, resume: vi.fn() };
});
vi.mock("../../page/sound/context.ts", () => ({ audioContext: async () => context, awake: vi.fn(), wake: vi.fn() }));

const set = vi.fn();

beforeEach(() => {
  vi.stubGlobal(
    "WaveShaperNode",
    class {
      connect = context.node.connect;
    },
  );
  vi.stubGlobal("AnalyserNode", vi.fn(class {}));
  vi.mocked(createLiveInstrument).mockResolvedValue({ output: context.node, set } as never);
});

test("every touch requests the sound at once, while it is being opened too", async () => {
  let made = () => {};
  const live = { output: context.node, set };
  vi.mocked(createLiveInstrument).mockReturnValueOnce(
    new Promise((done) => {
      made = () => done(live as never);
    }),
  );
  const touches = [openStudio(), openStudio()];
  expect(wake).toHaveBeenCalledTimes(2);
  await vi.waitFor(() => expect(createLiveInstrument).toHaveBeenCalledOnce());
  made();
  await Promise.all(touches);
});

test("keys sound in their own octave, wherever the voice was moved to", async () => {
  settings.octaves.value = 1;
  settings.mix.value = 0.5;
  await openStudio();
  expect(set).toHaveBeenLastCalledWith(expect.objectContaining({ source: "voice", octaves: 1, mix: 0.5 }));
  settings.mode.value = "keys";
  expect(set).toHaveBeenLastCalledWith(expect.objectContaining({ source: "keys", octaves: 0, mix: 1 }));
});
