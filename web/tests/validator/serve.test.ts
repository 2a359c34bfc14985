import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Site, serve } from "../../validator/serve.ts";

let folder: string;
let site: Site;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "serve-"));
  for (const name of ["page", "bundle"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "page", "index.html"), "<p>page");
  writeFileSync(join(folder, "bundle", "model.json"), "{}");
  writeFileSync(join(folder, "bundle", "weights é.bin"), new Uint8Array([1, 2, 3]));
  symlinkSync(join(folder, "secret.txt"), join(folder, "bundle", "link.txt"));
  site = await serve({ "": join(folder, "page"), bundle: join(folder, "bundle") });
});

afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

/** Sends the path as it is: `fetch` would resolve `..` before sending. */
function status(path: string, method = "GET"): Promise<number> {
  const { hostname, port } = new URL(site.origin);
  return new Promise((done, failed) => {
    request({ hostname, port, path, method }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    })
      .on("error", failed)
      .end();
  });
}

test("it listens on loopback only", () => {
  expect(site.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test("the root gives index.html, a mount its files with their types", async () => {
  expect(await (await fetch(`${site.origin}/`)).text()).toBe("<p>page");
  expect((await fetch(`${site.origin}/bundle/model.json`)).headers.get("content-type")).toBe("application/json");
  const weights = await fetch(`${site.origin}/bundle/${encodeURIComponent("weights é.bin")}`);
  expect([...new Uint8Array(await weights.arrayBuffer())]).toEqual([1, 2, 3]);
});

test.each([
  "/bundle/../secret.txt",
  "/bundle/%2e%2e/secret.txt",
  "/bundle/..%2fsecret.txt",
  "/../secret.txt",
  "/bundle//etc/passwd",
  "/bundle/link.txt",
  "/bundle/%00",
  "/bundle/%",
  "/bundle/",
  "/constructor/x",
  "/missing",
])("%s is not found", async (path) => {
  expect(await status(path)).toBe(404);
});

test("nothing but reading is allowed", async () => {
  expect(await status("/bundle/model.json", "POST")).toBe(405);
  expect(await status("/bundle/model.json", "HEAD")).toBe(200);
});
