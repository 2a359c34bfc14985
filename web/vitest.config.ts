import { defineConfig } from "vitest/config";
import { engineParts } from "./engine/build/plugin.ts";

export default defineConfig({
  plugins: [engineParts()],
  test: { include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"] },
});
