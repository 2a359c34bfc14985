import { join } from "node:path";
import { describe, test } from "vitest";
import { ROOT } from "../shared.ts";
import { absent, expectNote } from "./consumer.ts";

const VITE = join(ROOT, "web/node_modules/vite/bin/vite.js"); // 8, as the lock has it

describe.skipIf(absent)(`the package that npm would publish plays${absent ? `: ${absent}` : ""}`, () => {
  test("without a bundler, under a policy without blob:", () =>
    expectNote({ specifier: "/node_modules/swara-engine/dist/index.js", strict: true }));

  test("in Vite 8 as it is developed", () => expectNote({ server: [VITE] }));

  test("in Vite 8 as it is built", () => expectNote({ build: [VITE, "build"], serves: "dist" }));
});
