/** The service worker: its registration, and whether the page works without a network. */

import { effect, signal } from "@preact/signals";
import { alsoUnderWay, networkIsShut } from "./network.ts";

export const offlineReady = signal(false);
/** A newer version than this one is at hand, and comes with `takeUpdate`, or once all windows were closed. */
export const updateWaits = signal(false);

/** ms from the beginning of a visit: by then browsers that look for a newer version on their own have begun to. */
const LOOKED_AFTER_MS = 2_000;
/** A worker may be busy for minutes; with another message in time it may be for hours. */
const BUSY_MS = 60_000;

/** The newer version's worker; null where it is in charge already, and this page is of the older version. */
let waiting: ServiceWorker | null = null;

/**
 * Registers the service worker. Not while the microphone is on: that would use the network. If the microphone is wanted
 * meanwhile, it waits until the worker is here, with all that it fetches.
 */
export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator) || networkIsShut()) return;
  try {
    await alsoUnderWay(register());
    watchOthers();
    await navigator.serviceWorker.ready;
    offlineReady.value = true;
    // The host may have been updated between this page and its worker.
    if (!(await caches.match(import.meta.url))) updateWaits.value = true;
  } catch {
    // No service workers in this window (private browsing, an odd host): the page needs its network, that is all.
  }
}

async function register(): Promise<void> {
  const registration = await navigator.serviceWorker.register("./service-worker.js");
  registration.addEventListener("updatefound", () => {
    watch(registration);
    void alsoUnderWay(installed(registration));
  });
  watch(registration);
  void alsoUnderWay(quiet(registration));
}

/** Resolves when the browser fetches nothing more on the worker's behalf. */
async function quiet(registration: ServiceWorkerRegistration): Promise<void> {
  // Browsers look for a newer version at every visit, at a time of their own: rather now than when somebody sings.
  if (!registration.installing) {
    await registration.update().catch(() => undefined);
    await new Promise((done) => setTimeout(done, LOOKED_AFTER_MS - performance.now()));
  }
  await installed(registration);
}

// Chromium looks again once the worker has nothing to do, so it has while the network is shut.
effect(() => {
  if (!networkIsShut() || !("serviceWorker" in navigator)) return;
  const post = (message: "be busy" | "be idle") => navigator.serviceWorker.controller?.postMessage(message);
  post("be busy");
  const again = setInterval(() => post("be busy"), BUSY_MS);
  return () => {
    clearInterval(again);
    post("be idle");
  };
});

/** Resolves when no worker of the registration is fetching its files, whether or not it got them. */
async function installed({ installing }: ServiceWorkerRegistration): Promise<void> {
  if (installing?.state !== "installing") return;
  await new Promise((done) => installing.addEventListener("statechange", done, { once: true }));
}

function watch(registration: ServiceWorkerRegistration): void {
  const note = () => {
    if (!registration.waiting || !navigator.serviceWorker.controller) return;
    waiting = registration.waiting;
    updateWaits.value = true;
  };
  note();
  registration.installing?.addEventListener("statechange", note);
}

/** Watches for another window that puts the newer version in charge of this window too. */
function watchOthers(): void {
  const { serviceWorker } = navigator;
  let before = serviceWorker.controller;
  serviceWorker.addEventListener("controllerchange", () => {
    waiting = null;
    updateWaits.value = before !== null;
    before = serviceWorker.controller;
  });
}

/** Puts the newer version in charge and loads the page anew. */
export function takeUpdate(): void {
  if (!waiting) {
    location.reload();
    return;
  }
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage("take over");
}
