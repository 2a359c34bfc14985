import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { engineParts } from "./engine/build/plugin.ts";

const FOLDER = fileURLToPath(new URL("../benchmarks/browser/", import.meta.url));

/** The benchmark lives outside of this folder, but its packages are those of this one. */
const packagesFromHere: Plugin = {
  name: "packages-from-here",
  resolveId(source, importer) {
    if (!importer?.startsWith(FOLDER) || !/^[@a-z]/.test(source)) return null;
    return this.resolve(source, fileURLToPath(import.meta.url), { skipSelf: true });
  },
};

/** Two builds, as for the validator: the page that Chromium opens, and the command line that opens it. */
export default defineConfig({
  base: "./",
  root: FOLDER,
  plugins: [packagesFromHere, engineParts()],
  build: { target: "es2022", chunkSizeWarningLimit: 4000 },
  environments: {
    client: {
      build: {
        outDir: fileURLToPath(new URL("dist/benchmark/page", import.meta.url)),
        emptyOutDir: true,
        rolldownOptions: { input: `${FOLDER}index.html` },
      },
    },
    ssr: {
      build: {
        outDir: fileURLToPath(new URL("dist/benchmark", import.meta.url)),
        emptyOutDir: false,
        rolldownOptions: {
          input: `${FOLDER}cli.ts`,
          external: ["playwright-core"], // it stays in node_modules, where Node finds it from dist
          output: { entryFileNames: "cli.mjs", chunkFileNames: "[name].mjs" },
        },
      },
    },
  },
});
