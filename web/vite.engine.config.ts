import { defineConfig } from "vite";
import { engineParts } from "./engine/build/plugin.ts";

/**
 * The engine as a package: `index.js` and `tfjs.js` share chunks and leave TF.js to whoever imports them; `worklet.js`
 * stands alone, since audio worklets load one file.
 */
export default defineConfig({
  root: "engine",
  plugins: [engineParts()],
  build: { target: "es2022", emptyOutDir: false, minify: true, reportCompressedSize: false },
  environments: {
    client: {
      build: {
        outDir: "dist",
        lib: { entry: { index: "engine/src/index.ts", tfjs: "engine/src/tfjs/index.ts" }, formats: ["es"] },
        rolldownOptions: { external: /^@tensorflow\// },
      },
    },
    worklet: {
      consumer: "client",
      build: {
        outDir: "dist",
        lib: { entry: { worklet: "engine/src/live/worklet.ts" }, formats: ["es"] },
      },
    },
  },
});
