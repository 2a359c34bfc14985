/** The service worker: registers it, and knows whether the page works without a network. */

import { signal } from "@preact/signals";
import { microphone } from "./studio.ts";

export const offlineReady = signal(false);
/** A newer version than this one is at hand, and comes with `takeUpdate`, or once all windows were closed. */
export const updateWaits = signal(false);

/** The newer version's worker; null where it is in charge already, and this page is what is left of the older one. */
let waiting: ServiceWorker | null = null;

/** Registers the service worker. Not while the microphone is on: that would ask the network. */
export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator) || microphone.value !== "off") return;
  try {
    const registration = await navigator.serviceWorker.register("./service-worker.js");
    registration.addEventListener("updatefound", () => watch(registration));
    watch(registration);
    watchOthers();
    await navigator.serviceWorker.ready;
    offlineReady.value = true;
    // The host may have been updated between this page and its worker.
    if (!(await caches.match(import.meta.url))) updateWaits.value = true;
  } catch {
    // No service workers in this window (private browsing, an odd host): the page needs its network, that is all.
  }
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

/** Another window may put the newer version in charge of this one too. */
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
