import { defineConfig } from "vite";
import { engineParts } from "./engine/build/plugin.ts";

/**
 * The engine as a package: `index.js` and `tfjs.js` share chunks and leave TF.js to the importing page; `worklet.js`
 * stands alone, since audio worklets load one file, and `worklet_source.js` carries it for those who bundle the package.
 */
export default defineConfig({
  root: "engine",
  plugins: [engineParts()],
  build: {
    target: "es2022",
    emptyOutDir: false,
    minify: true,
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } }, // compiling the kernels takes its time
  },
  environments: {
    client: {
      build: {
        outDir: "dist",
        lib: { entry: { index: "src/index.ts", tfjs: "src/tfjs/index.ts" }, formats: ["es"] },
        rolldownOptions: {
          external: /^@tensorflow\//,
          output: {
            chunkFileNames: "[name].js",
            minifyInternalExports: false, // the page replaces what worklet_source.js exports
            codeSplitting: { groups: [{ name: "worklet_source", test: /swara:worklet|worklet_source/ }] },
          },
        },
      },
    },
    worklet: {
      consumer: "client",
      build: {
        outDir: "dist",
        lib: { entry: { worklet: "src/live/worklet.ts" }, formats: ["es"] },
      },
    },
  },
});
