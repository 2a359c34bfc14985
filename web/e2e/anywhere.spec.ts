import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { serve } from "../validator/serve.ts";
import { expect, open, singing, skipWithoutBrowser, test } from "./page.ts";
import { Server } from "./server.ts";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));

skipWithoutBrowser();
test.use({ launchOptions: singing("hum"), permissions: ["microphone"] });

test("it works without a network after the first visit", async ({ page, url, watch }) => {
  const folder = mkdtempSync(join(tmpdir(), "swara-e2e-"));
  symlinkSync(join(process.env.SWARA_E2E_FOLDER ?? "", "pushed"), join(folder, "pushed"));
  const server = await Server.start(folder);
  try {
    await open(page, server.url);
    expect(server.url).not.toBe(url);
  } finally {
    await server.stop(); // from here on no host answers
  }
  await page.reload();
  await expect(page.getByRole("button", { name: "Sing live" })).toBeEnabled();
  await page.getByRole("button", { name: "Use a hummed sample" }).click();
  await expect(page.getByText(/played in/)).toBeVisible();
  await page.getByRole("button", { name: "Sing live" }).click();
  await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  // The browser itself notes that the list of instruments was not answered.
  expect(watch.errors.filter((error) => !error.includes("ERR_CONNECTION_REFUSED"))).toEqual([]);
  rmSync(folder, { recursive: true });
});

test("any static host will do, in any folder, without headers of its own", async ({ page, watch }) => {
  const folder = mkdtempSync(join(tmpdir(), "swara-e2e-"));
  copySite(folder);
  const site = await serve({ player: folder });
  try {
    await open(page, `${site.origin}/player/`);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.getByRole("button", { name: "Use a hummed sample" }).click();
    await expect(page.getByText(/played in/)).toBeVisible();
    await page.getByRole("button", { name: "Sing live" }).click();
    await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    watch.expectCalm(`${site.origin}/player/`);
    // The page's own policy holds where the host sends none.
    const refused = await page.evaluate(() =>
      fetch("https://example.org/").then(
        () => "answered",
        () => "refused",
      ),
    );
    expect(refused).toBe("refused");
    expect(watch.errors.join()).toContain("Content Security Policy");
  } finally {
    await site.close();
    rmSync(folder, { recursive: true });
  }
});

test("it opens again on a host that sends index.html on to its folder, as many do", async ({ page, url }) => {
  const host = createServer(async (request, response) => {
    if (request.url === "/index.html") return response.writeHead(308, { Location: "/" }).end();
    const answer = await fetch(new URL(request.url ?? "/", url));
    const type = answer.headers.get("Content-Type") ?? "";
    return response.writeHead(answer.status, { "Content-Type": type }).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((ready) => host.listen(0, "127.0.0.1", ready));
  try {
    const here = `http://127.0.0.1:${(host.address() as AddressInfo).port}/`;
    await open(page, here);
    for (const again of [here, `${here}index.html`]) {
      await page.goto(again);
      await expect(page.getByRole("button", { name: "Sing live" })).toBeEnabled();
    }
  } finally {
    host.close();
    host.closeAllConnections();
  }
});

test("nothing is requested while the microphone is on, however soon it is wanted after a visit begins", async ({
  page,
  url,
}) => {
  const requests: string[] = [];
  const host = createServer(async (request, response) => {
    requests.push(request.url ?? "");
    const answer = await fetch(new URL(request.url ?? "/", url));
    const type = answer.headers.get("Content-Type") ?? "";
    if (request.headers["sec-fetch-dest"] !== "document") await new Promise((later) => setTimeout(later, 150));
    return response.writeHead(answer.status, { "Content-Type": type }).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((ready) => host.listen(0, "127.0.0.1", ready));
  try {
    for (const visit of ["first", "second"]) {
      await page.goto(`http://127.0.0.1:${(host.address() as AddressInfo).port}/`);
      await page.getByRole("button", { name: "Sing live" }).click();
      await expect(page.getByText("Listening. Nothing leaves this device.")).toBeVisible();
      const before = requests.length;
      await page.waitForTimeout(4_000);
      expect(requests.slice(before), `on the ${visit} visit`).toEqual([]);
    }
  } finally {
    host.close();
    host.closeAllConnections();
  }
});

test("while a newer version comes two windows each stay whole, and both get it", async ({ page, context, watch }) => {
  const folder = mkdtempSync(join(tmpdir(), "swara-e2e-"));
  copySite(folder);
  const site = await serve({ "": folder });
  const scripts = (one: Page) => one.locator("script[src]").evaluateAll((all) => all.map((tag) => tag.outerHTML));
  try {
    await open(page, `${site.origin}/`);
    const other = await context.newPage();
    await open(other, `${site.origin}/`);
    const before = await scripts(page);
    // In the middle of the update the host still has the old page beside the new parts.
    const index = join(folder, "index.html");
    const old = readFileSync(index);
    rename(folder);
    const renamed = readFileSync(index);
    writeFileSync(index, old);
    expect(await update(page)).toBe("redundant");
    await expect(page.getByText("Works without a network from now on.")).toBeVisible();
    writeFileSync(index, renamed);
    expect(await update(page)).toBe("installed");
    for (const one of [page, other]) await expect(one.getByText("A newer version of this page is here.")).toBeVisible();
    await page.getByRole("button", { name: "Use it" }).click();
    await expect(page.getByText("Works without a network from now on.")).toBeVisible();
    expect(await scripts(page)).not.toEqual(before);

    // The other window needs parts that it had not fetched, and that its host no longer has.
    await other.getByRole("button", { name: "Sing live" }).click();
    await expect(other.getByText("Listening. Nothing leaves this device.")).toBeVisible();
    await other.getByRole("button", { name: "Stop", exact: true }).click();
    await other.getByRole("button", { name: "Use a hummed sample" }).click();
    await expect(other.getByText(/played in/)).toBeVisible();
    expect(await scripts(other)).toEqual(before);
    await other.getByRole("button", { name: "Use it" }).click();
    await expect(other.getByText("Works without a network from now on.")).toBeVisible();
    expect(await scripts(other)).toEqual(await scripts(page));
    watch.expectCalm(site.origin);
  } finally {
    await site.close();
    rmSync(folder, { recursive: true });
  }
});

test("everything can be reached and used by keyboard alone, with a focus that shows", async ({ page, url, watch }) => {
  await open(page, url);
  const stops = await tabStops(page, 14);
  expect(stops.map((stop) => stop.name)).toEqual(
    expect.arrayContaining(["Free", "Sing live", "Record", "Use a hummed sample", "I am wearing headphones", "Octave"]),
  );
  for (const stop of stops) expect(stop, `focus on ${stop.name}`).toMatchObject({ shown: true });

  await page.getByRole("tab", { name: "Free" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: "Sing along" })).toBeFocused();
  await expect(page.getByRole("tabpanel", { name: "Sing along" })).toBeVisible();
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("button", { name: "Use a hummed sample" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/played in/)).toBeVisible();
  await page.getByRole("button", { name: "Play", exact: true }).focus();
  await page.keyboard.press("Space");
  await expect(page.getByRole("button", { name: "Stop", exact: true })).toBeVisible();
  await page.keyboard.press("Space");
  await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible();
  watch.expectCalm(url);
});

for (const scheme of ["light", "dark"] as const) {
  test(`it fits a phone 360 pixels wide, ${scheme}`, async ({ page, url, watch }, info) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await open(page, url);
    await page.getByRole("button", { name: "Use a hummed sample" }).click();
    await expect(page.getByText(/played in/)).toBeVisible();
    for (const mode of ["Free", "Sing along", "Keys"]) {
      await page.getByRole("tab", { name: mode }).click();
      await page.screenshot({ path: info.outputPath(`${mode}.png`), fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, mode).toBeLessThanOrEqual(360);
      const small = await page
        .locator("button:visible, select:visible")
        .evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 24).length);
      expect(small, `${mode}: targets too small for a finger`).toBe(0);
    }
    watch.expectCalm(url);
  });
}

test.describe("without a service worker, which would fetch by itself", () => {
  test.use({ serviceWorkers: "block" });

  test("what is missing or damaged is reported by name", async ({ page, url }) => {
    await page.route("**/pushed/index.json", (route) => route.fulfill({ status: 404, body: "" }));
    await page.goto(url);
    await expect(page.getByRole("alert")).toContainText("index.json");
    await page.unroute("**/pushed/index.json");
    await page.route("**/controls/weights.bin", (route) => route.fulfill({ status: 200, body: "not weights" }));
    await page.goto(`${url}?again`);
    await expect(page.getByRole("alert")).toContainText("controls/weights.bin");
  });
});

/** Puts the page and the instruments into a folder, as onto a host. */
function copySite(folder: string): void {
  cpSync(DIST, folder, { recursive: true, filter: (path) => !/validator|benchmark/.test(path) });
  cpSync(join(process.env.SWARA_E2E_FOLDER ?? "", "pushed"), join(folder, "pushed"), {
    recursive: true,
    dereference: true,
  });
}

/** Has the browser look for a newer version; gives the state of its worker. */
function update(page: Page): Promise<string | undefined> {
  return page.evaluate(async () => {
    const registration = await (await navigator.serviceWorker.ready).update();
    const worker = registration.installing;
    await new Promise((done) => worker?.addEventListener("statechange", done, { once: true }));
    return worker?.state;
  });
}

/** Replaces the page by another version: the same code in files of other names. */
function rename(folder: string): void {
  const assets = join(folder, "assets");
  const names = readdirSync(assets);
  const renamed = (text: string) =>
    names.reduce((changed, name) => changed.replaceAll(name, `next-${name}`), text).replace(/"[0-9a-f]{12}"/, '"next"');
  for (const path of ["index.html", "service-worker.js", ...names.map((name) => join("assets", name))]) {
    const text = renamed(readFileSync(join(folder, path), "utf8"));
    rmSync(join(folder, path));
    writeFileSync(join(folder, renamed(path)), text);
  }
}

interface Stop {
  readonly name: string;
  readonly shown: boolean;
}

/** Lists where the Tab key leads, and whether the focus can be seen there. */
async function tabStops(page: Page, count: number): Promise<Stop[]> {
  const stops: Stop[] = [];
  for (let at = 0; at < count; at++) {
    await page.keyboard.press("Tab");
    stops.push(
      await page.evaluate(() => {
        const focused = document.activeElement as HTMLInputElement;
        const drawn = [focused, focused.closest("label"), focused.nextElementSibling].filter((one) => one !== null);
        return {
          name: focused.labels?.[0]?.textContent?.trim() ?? focused.textContent?.trim() ?? "",
          shown: drawn.some((one) => getComputedStyle(one).outlineStyle === "solid"),
        };
      }),
    );
  }
  return stops;
}
