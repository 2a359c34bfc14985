import { defineConfig } from "@playwright/test";

/** One browser at a time: several would take the audio thread's time from each other. */
export default defineConfig({
  testDir: ".",
  outputDir: "../node_modules/.cache/swara-e2e",
  globalSetup: "./setup.ts",
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env.CI === "true",
  timeout: 90_000,
  reporter: [["list"]],
  use: { trace: "off", screenshot: "only-on-failure" },
});
