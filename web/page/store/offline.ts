/** The service worker: registers it, and knows whether the page works without a network. */

import { signal } from "@preact/signals";
import { microphone } from "./studio.ts";

export const offlineReady = signal(false);
/** A newer version is fetched and waits for this page to be closed, or for `takeUpdate`. */
export const updateWaits = signal(false);

let waiting: ServiceWorker | null = null;

/** Registers the service worker. Not while the microphone is on: that would ask the network. */
export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator) || microphone.value !== "off") return;
  try {
    const registration = await navigator.serviceWorker.register("./service-worker.js");
    registration.addEventListener("updatefound", () => watch(registration));
    watch(registration);
    await navigator.serviceWorker.ready;
    offlineReady.value = true;
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

/** Puts the newer version in charge and loads the page anew. */
export function takeUpdate(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting?.postMessage("take over");
}
