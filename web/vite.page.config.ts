import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const DIST = fileURLToPath(new URL("dist", import.meta.url));
const ENGINE = fileURLToPath(new URL("engine/dist/index.js", import.meta.url));
const LICENCE = fileURLToPath(new URL("../LICENSE", import.meta.url));
const SOURCE = fileURLToPath(new URL("engine/dist/worklet_source.js", import.meta.url));
const WORKER = "service-worker.js";

/** Writes the page's files into the service worker, with a version that changes with any of them. */
function shellFiles(): Plugin {
  return {
    name: "swara-shell-files",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const built = Object.keys(bundle).filter((name) => name !== WORKER && !name.startsWith("LICENSE"));
        const hash = createHash("sha256");
        for (const name of built.sort()) {
          const file = bundle[name];
          hash.update(name).update(file?.type === "chunk" ? file.code : (file?.source ?? ""));
        }
        const worker = bundle[WORKER];
        if (worker?.type !== "chunk") throw new Error("the build has no service worker");
        worker.code = worker.code
          .replaceAll("SHELL_FILES", JSON.stringify(built))
          .replaceAll("SHELL_VERSION", JSON.stringify(hash.digest("hex").slice(0, 12)));
      },
    },
    writeBundle(_, bundle) {
      for (const name of readdirSync(`${DIST}/assets`)) {
        if (!(`assets/${name}` in bundle)) rmSync(`${DIST}/assets/${name}`); // of an earlier build
      }
    },
  };
}

/** Lays Swara's own licence beside `LICENSES.md`, which has those of the packages. */
const ownLicence: Plugin = {
  name: "swara-licence",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "LICENSE", source: readFileSync(LICENCE) });
  },
};

/** The page's policy allows no blob: scripts: the worklet becomes a file of the page like all others. */
const engineWorklet: Plugin = {
  name: "swara-engine-worklet",
  enforce: "pre",
  transform: (_, id) =>
    id === SOURCE
      ? 'import url from "./worklet.js?url"; export const workletCode = ""; export const besideThis = url;'
      : null,
};

/** The page: static files for any host, which finds the published instruments in `pushed/` beside `index.html`. */
export default defineConfig({
  base: "./",
  root: "page",
  plugins: [engineWorklet, ownLicence, shellFiles()],
  resolve: { alias: { "swara-engine": ENGINE } },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: "../dist",
    license: { fileName: "LICENSES.md" },
    emptyOutDir: false, // the validator's folder lies there too
    assetsInlineLimit: 0, // the policy allows no data: addresses
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { main: "page/index.html", "service-worker": "page/service_worker.ts" },
      output: {
        entryFileNames: ({ name }) => (name === "service-worker" ? WORKER : "assets/[name]-[hash].js"),
      },
    },
  },
});
