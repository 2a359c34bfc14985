import { defineConfig } from "vitest/config";
import { engineParts } from "./engine/build/plugin.ts";

export default defineConfig({
  plugins: [engineParts()],
  // Some tests ask Python or Chromium, on machines that are busy with other tests.
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"],
  },
});
