import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { engineParts } from "./engine/build/plugin.ts";

/** `--mode soak`: what `make soak-web` runs beside. */
export default defineConfig(({ mode }) => ({
  plugins: [engineParts()],
  resolve: { alias: { "swara-engine": fileURLToPath(new URL("engine/src/index.ts", import.meta.url)) } },
  // Some tests run Python or Chromium, on machines that are busy with other tests.
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    include: mode === "soak" ? ["tests/**/*.soak.ts"] : ["tests/**/*.test.ts", "tests/**/*.test.tsx"],
  },
}));
