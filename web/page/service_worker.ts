/**
 * Makes the page work without a network after the first visit.
 *
 * The page itself comes from the cache that was filled when this worker was installed. Published instruments are kept
 * by the page as it fetches them: a version never changes, so it comes from there; what points to versions is fetched
 * anew, and comes from there only when no host answers.
 */

/** Filled in by the build: every file of the page, and a name that changes with them. */
declare const SHELL_FILES: readonly string[];
declare const SHELL_VERSION: string;

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window"; includeUncontrolled: true }): Promise<readonly unknown[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "message", listener: (event: Extendable & MessageEvent) => void): void;
}

const worker = globalThis as unknown as Worker;
const SHELLS = "swara-shell-";
const SHELL = `${SHELLS}${SHELL_VERSION}`;
const PUSHED = "swara-pushed";
const PARTS = "assets/"; // their names change with what is in them
const BUSY_MS = 90_000; // pages send "be busy" again before that
const scope = new URL(worker.registration.scope);

worker.addEventListener("install", (event) => {
  event.waitUntil(fill());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(takeCharge());
});

worker.addEventListener("message", (event) => {
  if (event.data === "take over") void worker.skipWaiting();
  else if (event.data === "be busy") event.waitUntil(busy(windowOf(event)));
  else if (event.data === "be idle") ends.get(windowOf(event))?.();
});

worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || !url.href.startsWith(scope.href)) return;
  const path = url.pathname.slice(scope.pathname.length);
  if (path === "" || SHELL_FILES.includes(path)) event.respondWith(fromShell(event.request, path));
  else if (path.startsWith(PARTS)) event.respondWith(fromAnyShell(event.request));
  else if (path.startsWith("pushed/")) event.respondWith(fromPushed(event.request, path));
});

function windowOf({ source }: MessageEvent): string {
  return (source as unknown as { readonly id: string }).id;
}

/** Ends what `busy` began, by window. */
const ends = new Map<string, () => void>();

/**
 * Stays busy: a worker with nothing to do is stopped, and then browsers fetch a newer one, which they must not while
 * somebody sings.
 */
function busy(window: string): Promise<void> {
  ends.get(window)?.();
  return new Promise((done) => {
    const timer = setTimeout(done, BUSY_MS);
    ends.set(window, () => {
      clearTimeout(timer);
      done();
    });
  });
}

async function fill(): Promise<void> {
  const cache = await caches.open(SHELL);
  try {
    await cache.addAll(SHELL_FILES.map((path) => new Request(shellUrl(path), { cache: "reload" })));
    await checkPage(await cache.match(scope));
  } catch (error) {
    await caches.delete(SHELL); // the next visit tries again
    throw error;
  }
}

/** Checks that the page is of this version: a host that is just being updated may give this worker another one. */
async function checkPage(page: Response | undefined): Promise<void> {
  const named = (await page?.text())?.match(/assets\/[\w.-]+/g) ?? [];
  const strange = named.find((path) => !SHELL_FILES.includes(path));
  if (strange !== undefined) throw new Error(`index.html names ${strange}, which is of another version`);
}

/** Makes a part's address. Many hosts redirect /index.html to /, and browsers open no page from a redirected answer. */
function shellUrl(path: string): URL {
  return path === "index.html" ? scope : new URL(path, scope);
}

async function takeCharge(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(SHELLS) && name !== SHELL);
  // A window that still shows the version before will fetch its parts: that version stays until the next comes.
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (windows.length > 0) old.pop();
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function fromShell(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(SHELL);
  return (await cache.match(shellUrl(path || "index.html"))) ?? fetch(request);
}

/** Answers with a part of this version, or of the one before, which no host may have any more. */
async function fromAnyShell(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

async function fromPushed(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(PUSHED);
  if (!/\/(latest|index)\.json$/.test(`/${path}`)) return (await cache.match(request)) ?? fetch(request);
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}
