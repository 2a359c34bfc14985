import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../engine/shared.ts";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

test.each([
  ["web/dist/LICENSES.md", /^(preact|@preact\/signals)$/],
  ["web/dist/validator/page/LICENSES.md", /^@tensorflow\//],
])("%s has the licence of every package that was built in", (path, bundled) => {
  const { dependencies } = JSON.parse(read("web/package.json")) as { dependencies: Record<string, string> };
  const packages = Object.keys(dependencies).filter((name) => bundled.test(name));
  expect(packages.length).toBeGreaterThan(1);
  for (const name of packages) expect(read(path)).toContain(`## ${name} - ${dependencies[name]} (`);
});

test("the page's own licence lies beside it", () => {
  expect(read("web/dist/LICENSE")).toBe(read("LICENSE"));
});
