import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RecordedBlock } from "../../page/sound/recorder_worklet.ts";
import { beginRecording, finishRecording } from "../../page/store/sources.ts";
import * as studio from "../../page/store/studio.ts";

vi.mock("../../page/store/instruments.ts", () => ({ instrument: signal(null) }));
vi.mock("../../page/store/singing.ts", () => ({ singing: signal(false) }));
vi.mock("../../page/store/take.ts", () => ({ setTake: vi.fn() }));
vi.mock("../../page/store/studio.ts", () => ({
  microphone: signal("off"),
  recording: signal(null),
  startRecording: vi.fn(),
  stopRecording: vi.fn(),
}));

const TEN_MINUTES = 600_000;

beforeEach(() => {
  vi.useFakeTimers();
  vi.mocked(studio.startRecording).mockImplementation(async (what) => {
    await new Promise((opened) => setTimeout(opened, 100));
    studio.recording.value = what;
  });
  vi.mocked(studio.stopRecording).mockImplementation(async () => {
    studio.recording.value = null;
    return { audio: new Float32Array(48_000), sampleRate: 48_000, start: 0 };
  });
});

afterEach(() => {
  vi.clearAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("two taps begin one recording, and nothing ends it once more when it is over", async () => {
  void beginRecording("keys");
  await vi.advanceTimersByTimeAsync(50);
  void beginRecording("keys");
  await vi.advanceTimersByTimeAsync(200);
  expect(studio.startRecording).toHaveBeenCalledOnce();
  await finishRecording("keys");
  await vi.advanceTimersByTimeAsync(TEN_MINUTES + 1_000);
  expect(studio.stopRecording).toHaveBeenCalledOnce();
});

test("one that could not begin can be begun again, and ends by itself when it is forgotten", async () => {
  vi.mocked(studio.startRecording).mockRejectedValueOnce(new Error("no sound"));
  await beginRecording("keys");
  void beginRecording("keys");
  await vi.advanceTimersByTimeAsync(TEN_MINUTES + 1_000);
  expect(studio.stopRecording).toHaveBeenCalledOnce();
});

test("the audio thread answers every stop, with nothing where nothing was recorded", async () => {
  const port = { onmessage: (_: { data: boolean }) => undefined, postMessage: vi.fn<(block: RecordedBlock) => void>() };
  let made: (new () => { process(inputs: Float32Array[][]): boolean }) | undefined;
  vi.stubGlobal("currentFrame", 128);
  vi.stubGlobal(
    "AudioWorkletProcessor",
    class {
      port = port;
    },
  );
  vi.stubGlobal("registerProcessor", (_: string, processor: typeof made) => {
    made = processor;
  });
  await import("../../page/sound/recorder_worklet.ts");
  const processor = made && new made();
  port.onmessage({ data: false });
  expect(port.postMessage.mock.lastCall?.[0]).toMatchObject({ audio: new Float32Array(0), last: true });
  port.onmessage({ data: true });
  processor?.process([[new Float32Array(128).fill(0.5)]]);
  port.onmessage({ data: false });
  port.onmessage({ data: false });
  const lengths = port.postMessage.mock.calls.map(([block]) => block.audio.length);
  expect(lengths).toEqual([0, 128, 0]);
});
