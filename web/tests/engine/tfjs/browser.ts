/** Opens a TypeScript module in headless Chromium, as a page would load it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { engineParts } from "../../../engine/build/plugin.ts";
import { launchChromium } from "../../../validator/chromium.ts";
import { type Site, serve } from "../../../validator/serve.ts";

/** A browser on a built module. */
export class Opened {
  private readonly browser: Browser;
  private readonly site: Site;
  private readonly folder: string;

  private constructor(browser: Browser, site: Site, folder: string) {
    this.browser = browser;
    this.site = site;
    this.folder = folder;
  }

  /**
   * @param module TypeScript, bundled with all that it imports.
   * @param mounts further folders to serve, by the first part of their URL.
   */
  static async on(chromium: string, module: string, mounts: Readonly<Record<string, string>> = {}): Promise<Opened> {
    const folder = mkdtempSync(join(tmpdir(), "swara-page-"));
    await build({
      configFile: false,
      logLevel: "error",
      plugins: [engineParts()],
      build: {
        target: "es2022",
        outDir: folder,
        emptyOutDir: true,
        chunkSizeWarningLimit: 4000,
        lib: { entry: module, formats: ["es"], fileName: () => "page.js" },
      },
    });
    writeFileSync(
      join(folder, "index.html"),
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
    );
    const wasm = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"));
    const site = await serve({ "": folder, wasm, ...mounts });
    return new Opened(await launchChromium(chromium), site, folder);
  }

  /** A fresh page that has run the module; what it throws ends up in `faults`. */
  async page(faults: string[] = []): Promise<Page> {
    const page = await this.browser.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    await page.goto(`${this.site.origin}/`, { waitUntil: "load" });
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.site.close();
    rmSync(this.folder, { recursive: true });
  }
}
