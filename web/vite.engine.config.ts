import { defineConfig, type Plugin } from "vite";
import { engineParts } from "./engine/build/plugin.ts";

/** In the package the worklet lies beside the module that loads it. */
const workletBeside: Plugin = {
  name: "swara-worklet-beside",
  transform: (code) => code.replace('"../../dist/worklet.js"', '/* @vite-ignore */ "./worklet.js"'),
};

/**
 * The engine as a package: `index.js` and `tfjs.js` share chunks and leave TF.js to the importing page; `worklet.js`
 * stands alone, since audio worklets load one file.
 */
export default defineConfig({
  root: "engine",
  plugins: [engineParts(), workletBeside],
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
          output: { chunkFileNames: "[name].js" },
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
