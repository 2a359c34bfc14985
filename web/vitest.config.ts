import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { engineParts } from "./engine/build/plugin.ts";

export default defineConfig({
  plugins: [engineParts()],
  resolve: { alias: { "swara-engine": fileURLToPath(new URL("engine/src/index.ts", import.meta.url)) } },
  // Some tests run Python or Chromium, on machines that are busy with other tests.
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"],
  },
});
