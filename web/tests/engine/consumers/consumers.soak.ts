import { describe, test } from "vitest";
import { absent, expectNote } from "./consumer.ts";

const VITE_7 = { packages: ["vite@7.3.8"] };
const VITE = "node_modules/vite/bin/vite.js";
/** Where a bundler has no page of its own. */
const page = (script: string) =>
  `<!doctype html><title>Consumer</title><script type="module" src="${script}"></script>\n`;

describe.skipIf(absent)(`the package that npm would publish plays${absent ? `: ${absent}` : ""}`, () => {
  test("in Vite 7 as it is developed", () => expectNote({ ...VITE_7, server: [VITE] }));

  test("in Vite 7 as it is built", () => expectNote({ ...VITE_7, build: [VITE, "build"], serves: "dist" }));

  test("in webpack", () =>
    expectNote({
      packages: ["webpack@5.113.0", "webpack-cli@7.3.1"],
      files: { "dist/index.html": page("main.js") },
      build: ["node_modules/webpack-cli/bin/cli.js", "./main.js", "--mode", "production"],
      serves: "dist",
    }));

  test("in rollup, in one file", () =>
    expectNote({
      packages: ["rollup@4.68.8", "@rollup/plugin-node-resolve@16.0.3"],
      files: { "dist/index.html": page("bundle.js") },
      build: ["node_modules/rollup/dist/bin/rollup", "main.js", "--file", "dist/bundle.js", "--plugin", "node-resolve"],
      serves: "dist",
    }));

  test("in esbuild", () =>
    expectNote({
      packages: ["esbuild@0.28.2"],
      files: { "dist/index.html": page("bundle.js") },
      build: ["node_modules/esbuild/bin/esbuild", "main.js", "--bundle", "--format=esm", "--outfile=dist/bundle.js"],
      serves: "dist",
    }));
});
