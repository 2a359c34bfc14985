import { afterEach, beforeEach, expect, type Mock, test, vi } from "vitest";
import { openNetwork, shutNetwork } from "../../page/store/network.ts";
import { registerServiceWorker } from "../../page/store/offline.ts";

class Worker extends EventTarget {
  state = "installing";

  become(state: string): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

class Registration extends EventTarget {
  installing: Worker | null = new Worker();
  waiting = null;
  update: Mock<() => Promise<unknown>> = vi.fn(async () => this);
}

let registration: Registration;
let controller: { postMessage: Mock } | null = null;
const register = vi.fn(async () => registration);

beforeEach(() => {
  registration = new Registration();
  controller = { postMessage: vi.fn() };
  const serviceWorker = Object.assign(new EventTarget(), { register, ready: new Promise(() => {}), controller });
  vi.stubGlobal("navigator", { serviceWorker });
});

afterEach(() => {
  openNetwork();
  register.mockClear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Whether the network was found quiet; the promise is left to itself. */
function shutting(): { done: boolean; failed: string } {
  const state = { done: false, failed: "" };
  shutNetwork().then(
    () => Object.assign(state, { done: true }),
    (error: Error) => Object.assign(state, { failed: error.message }),
  );
  return state;
}

const aMoment = () => new Promise((later) => setTimeout(later, 10));

for (const end of ["installed", "redundant"]) {
  test(`the microphone waits for a worker that fetches its files until it is ${end}`, async () => {
    void registerServiceWorker();
    const state = shutting();
    await aMoment();
    expect(state.done).toBe(false);
    registration.installing?.become(end);
    await aMoment();
    expect(state.done).toBe(true);
  });
}

test("on later visits it waits for the check for a newer version, and for what that finds", async () => {
  const newer = registration.installing;
  registration.installing = null;
  let checked = () => {};
  registration.update.mockReturnValue(
    new Promise((done) => {
      checked = () => done(registration);
    }),
  );
  void registerServiceWorker();
  const state = shutting();
  await aMoment();
  expect(state.done).toBe(false);
  registration.installing = newer;
  registration.dispatchEvent(new Event("updatefound"));
  checked();
  await aMoment();
  expect(state.done).toBe(false);
  newer?.become("installed");
  await vi.waitFor(() => expect(state.done).toBe(true), 5_000); // browsers look once more by themselves
});

test("the worker is kept busy while the network is shut, since idle it would be looked for anew", async () => {
  vi.useFakeTimers();
  await shutNetwork();
  await vi.advanceTimersByTimeAsync(130_000);
  openNetwork();
  await vi.advanceTimersByTimeAsync(130_000);
  const messages = controller?.postMessage.mock.calls.flat();
  expect(messages).toEqual(["be busy", "be busy", "be busy", "be idle"]);
});

test("a wait that is too long ends in a message", async () => {
  vi.useFakeTimers();
  void registerServiceWorker();
  const state = shutting();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.failed).toContain("Try again in a moment");
  registration.installing?.become("redundant");
});

test("no worker is registered while the microphone is on", async () => {
  await shutNetwork();
  await registerServiceWorker();
  expect(register).not.toHaveBeenCalled();
});
