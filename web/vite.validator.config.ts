import { defineConfig } from "vite";

/**
 * Two builds: the page that Chromium opens (TF.js inside), and the command line that opens it (its packages stay in
 * node_modules, where it also finds TF.js's wasm binaries).
 */
export default defineConfig({
  base: "./",
  root: "validator",
  build: { target: "es2022", chunkSizeWarningLimit: 2000 },
  environments: {
    client: {
      build: {
        outDir: "../dist/validator/page",
        emptyOutDir: true,
        license: { fileName: "LICENSES.md" },
        rolldownOptions: { input: "validator/index.html" },
      },
    },
    ssr: {
      build: {
        outDir: "../dist/validator",
        emptyOutDir: false,
        rolldownOptions: {
          input: "validator/cli.ts",
          output: { entryFileNames: "cli.mjs", chunkFileNames: "[name].mjs" },
        },
      },
    },
  },
});
