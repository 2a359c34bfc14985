/**
 * The page's only way to the network, which shuts while the microphone is on.
 *
 * All that is fetched of the published instruments is kept on the device, so that it plays without a network next time.
 */

import { signal } from "@preact/signals";

/** Name of the browser's cache; the service worker answers from it. */
export const PUSHED_CACHE = "swara-pushed";

export class NetworkShut extends Error {
  constructor(url: string) {
    super(`${url} was not fetched: nothing is fetched while the microphone is on`);
    this.name = "NetworkShut";
  }
}

/** Longest wait for the microphone. */
const PATIENCE_SECONDS = 30;

const shut = signal(false);
/** All fetches under way, and all else of the page that uses the network. */
const underWay = new Set<Promise<unknown>>();

/**
 * Shuts the network; resolves when what was requested before has been answered.
 *
 * @throws Error it takes too long. The network is shut all the same.
 */
export async function shutNetwork(): Promise<void> {
  shut.value = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, failed) => {
    const why = "Parts of this page are still being fetched, and nothing may be while the microphone is on.";
    timer = setTimeout(() => failed(new Error(`${why} Try again in a moment.`)), 1000 * PATIENCE_SECONDS);
  });
  try {
    await Promise.race([nothingUnderWay(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for all that is under way, and for what that sets under way before it is done. */
async function nothingUnderWay(): Promise<void> {
  while (underWay.size > 0) await Promise.allSettled(underWay);
}

/** Has `shutNetwork` wait for work that uses the network, but not through `fetchAndKeep`; settles as the work does. */
export async function alsoUnderWay<T>(work: Promise<T>): Promise<T> {
  underWay.add(work);
  try {
    return await work;
  } finally {
    underWay.delete(work);
  }
}

export function openNetwork(): void {
  shut.value = false;
}

export function networkIsShut(): boolean {
  return shut.value;
}

/** Fetches as `fetch` does, and keeps a copy of the response. Throws NetworkShut while the microphone is on. */
export const fetchAndKeep: typeof fetch = async (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  if (shut.value) throw new NetworkShut(url);
  return alsoUnderWay(fetchWhole(url, input, init));
};

/** Fetches a response with all of its body, so that nothing is on its way when this is done. */
async function fetchWhole(url: string, ...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...request);
  if (!response.ok) return response;
  const { status, statusText, headers } = response;
  const whole = new Response(await response.arrayBuffer(), { status, statusText, headers });
  if ("caches" in globalThis) await keep(url, whole.clone());
  return whole;
}

async function keep(url: string, response: Response): Promise<void> {
  try {
    await (await caches.open(PUSHED_CACHE)).put(url, response);
  } catch {
    // A full disk or a private window: the page works all the same, but only with a network.
  }
}

/** Lists the manifests of an instrument that were kept on this device, whatever their version, the newest first. */
export async function keptManifests(folder: URL): Promise<URL[]> {
  if (!("caches" in globalThis)) return [];
  const kept = (await (await caches.open(PUSHED_CACHE)).keys()).map(({ url }) => url);
  const isManifest = (url: string) =>
    url.startsWith(folder.href) && /^[^/]+\/manifest\.json$/.test(url.slice(folder.href.length));
  const newestFirst = kept.filter(isManifest).sort().reverse(); // versions begin with their time
  return newestFirst.map((url) => new URL(url));
}

/**
 * Forgets what was kept below an address, as when it proved damaged or was overtaken.
 *
 * @param but all below this address is kept.
 */
export async function forget(folder: URL, but?: URL): Promise<void> {
  if (!("caches" in globalThis)) return;
  const cache = await caches.open(PUSHED_CACHE);
  for (const { url } of await cache.keys()) {
    if (url.startsWith(folder.href) && !(but && url.startsWith(but.href))) await cache.delete(url);
  }
}
