import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { smallBundle, text, versionOf } from "../engine/small_bundle.ts";

const FOLDER = "http://bundle/pushed/small/";
const HASH = versionOf(smallBundle()).slice(-8);
const [OLDEST, EARLIER, LISTED] = [1, 2, 3].map((day) => `2025010${day}T000000Z-${HASH}`) as [string, string, string];

/** Files that the device keeps, by address. */
let kept: Map<string, Uint8Array<ArrayBuffer>>;

/** Only the device answers; `pushed/index.json`, which is kept too, lists a version that is not. */
beforeEach(() => {
  vi.resetModules();
  const line = { name: "small", title: "Small", description: "", version: LISTED, download: {} };
  const index = { format_version: 1, instruments: [{ ...line, manifest: `small/${LISTED}/manifest.json` }] };
  kept = new Map([["http://bundle/pushed/index.json", text(JSON.stringify(index))]]);
  const cache = {
    keys: async () => Array.from(kept.keys(), (url) => ({ url })),
    put: async () => undefined,
    delete: async (url: string) => kept.delete(url),
  };
  vi.stubGlobal("caches", { open: async () => cache });
  vi.stubGlobal("document", { baseURI: "http://bundle/" });
  vi.stubGlobal("location", { search: "" });
  vi.stubGlobal("fetch", async (url: URL) => {
    const bytes = kept.get(String(url));
    if (!bytes) throw new TypeError("Failed to fetch");
    return new Response(bytes);
  });
});

afterEach(() => vi.unstubAllGlobals());

function keep(version: string, but = ""): void {
  for (const [path, bytes] of smallBundle().files) {
    if (path !== but) kept.set(`${FOLDER}${version}/${path}`, bytes);
  }
}

async function openCatalogue() {
  const store = await import("../../page/store/instruments.ts");
  const notices = await import("../../page/store/notices.ts");
  await store.openCatalogue();
  return { instrument: store.instrument.value, status: notices.status.value, problem: notices.problem.value };
}

test("without a network the newest version that is whole on the device is taken", async () => {
  keep(OLDEST);
  keep(EARLIER);
  const { instrument, status, problem } = await openCatalogue();
  expect(instrument?.url.href).toBe(`${FOLDER}${EARLIER}/manifest.json`);
  expect(status).toContain("Small is ready, in an earlier version");
  expect(problem).toBe("");
});

test("a version that was kept in parts is passed over", async () => {
  keep(OLDEST);
  keep(EARLIER, "controls/weights.bin");
  expect((await openCatalogue()).instrument?.url.href).toBe(`${FOLDER}${OLDEST}/manifest.json`);
});

test("where nothing was kept that is reported", async () => {
  const { instrument, problem } = await openCatalogue();
  expect(instrument).toBeNull();
  expect(problem).toContain("cannot be reached");
});

test("a listed version that is damaged is reported, not passed over", async () => {
  keep(EARLIER);
  keep(LISTED);
  kept.set(`${FOLDER}${LISTED}/controls/weights.bin`, text("not weights"));
  const { instrument, problem } = await openCatalogue();
  expect(instrument).toBeNull();
  expect(problem).toContain("controls/weights.bin");
});
