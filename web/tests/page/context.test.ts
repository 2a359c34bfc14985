import { afterEach, beforeEach, expect, test, vi } from "vitest";

vi.mock("../../page/sound/recorder_worklet.ts?worker&url", () => ({ default: "recorder.js" }));

/** A context as on a phone: it may sound only from within certain touches. */
class Context {
  static made: Context[] = [];
  static loading: Promise<void> = Promise.resolve();
  state = "suspended";
  resume = vi.fn(() => new Promise<void>(() => {}));
  close = vi.fn(async () => undefined);
  audioWorklet = { addModule: () => Context.loading };

  constructor() {
    Context.made.push(this);
  }
}

const target = new EventTarget();

beforeEach(() => {
  vi.resetModules();
  Object.assign(Context, { made: [], loading: Promise.resolve() });
  vi.stubGlobal("AudioContext", Context);
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
});

afterEach(() => vi.unstubAllGlobals());

test("a touch that may not begin the sound does not hold up the next one, which may", async () => {
  const { audioContext } = await import("../../page/sound/context.ts");
  await audioContext();
  await audioContext();
  expect(Context.made).toHaveLength(1);
  expect(Context.made[0]?.resume).toHaveBeenCalledTimes(2);
});

test("the sound is requested again while it is still being opened, and when the finger is lifted", async () => {
  const { audioContext, wake } = await import("../../page/sound/context.ts");
  Context.loading = new Promise(() => {});
  void audioContext();
  wake();
  expect(Context.made[0]?.resume).toHaveBeenCalledTimes(2);
  target.dispatchEvent(new Event("pointerup"));
  expect(Context.made[0]?.resume).toHaveBeenCalledTimes(3);
});

test("a context whose parts cannot be fetched is given up, and the next try makes another", async () => {
  const { audioContext } = await import("../../page/sound/context.ts");
  Context.loading = Promise.reject(new Error("gone"));
  await expect(audioContext()).rejects.toThrow("load the page anew");
  Context.loading = Promise.resolve();
  await audioContext();
  expect(Context.made).toHaveLength(2);
});

test("a caller that needs the clock waits for it a moment, not for ever", async () => {
  vi.useFakeTimers();
  const { audioContext, awake } = await import("../../page/sound/context.ts");
  await audioContext();
  let done = false;
  void awake().then(() => {
    done = true;
  });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(done).toBe(true);
  vi.useRealTimers();
});

test("the delay of the device is read, but not in Firefox, which may hang then", async () => {
  const { outputDelay } = await import("../../page/sound/context.ts");
  const read = vi.fn(() => 0.05);
  const context = Object.defineProperty({ baseLatency: 0.01 }, "outputLatency", { get: read }) as AudioContext;
  const system = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101";
  vi.stubGlobal("navigator", { userAgent: `${system} Firefox/153.0` });
  expect(outputDelay(context)).toEqual({ seconds: 0.01, whole: false });
  expect(read).not.toHaveBeenCalled();
  vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0" });
  expect(outputDelay(context)).toEqual({ seconds: 0.01 + 0.05, whole: true });
});

test("without a figure of the device the delay is not whole", async () => {
  const { outputDelay } = await import("../../page/sound/context.ts");
  vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15" });
  expect(outputDelay({ baseLatency: 0.01 } as AudioContext)).toEqual({ seconds: 0.01, whole: false });
});
