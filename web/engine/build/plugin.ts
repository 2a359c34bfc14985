/** Modules that are made when the engine is built: the kernels, the manifest's schema, and the worklet as text. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "vite";

const WORKLET = fileURLToPath(new URL("../src/live/worklet.ts", import.meta.url));
const ASSEMBLY = fileURLToPath(new URL("../assembly/", import.meta.url));
const SCHEMA = fileURLToPath(new URL("../../../bundles/manifest.schema.json", import.meta.url));

/**
 * Resolves `swara:kernels` (WebAssembly as base64), `swara:manifest-schema` (without its descriptions) and `swara:worklet`
 * (the worklet's module as text).
 */
export function engineParts(): Plugin {
  let kernels: Promise<string> | undefined;
  return {
    name: "swara-engine-parts",
    resolveId: (id) => (id.startsWith("swara:") ? `\0${id}` : null),
    async load(id) {
      if (id === "\0swara:kernels") {
        kernels ??= compileKernels();
        return `export default ${JSON.stringify(await kernels)};`;
      }
      if (id === "\0swara:manifest-schema") {
        const schema = JSON.parse(await readFile(SCHEMA, "utf8"), (key, value) =>
          isProse(key, value) ? undefined : value,
        );
        return `export default ${JSON.stringify(schema)};`;
      }
      if (id === "\0swara:worklet") return `export default ${JSON.stringify(await bundleWorklet())};`;
      return null;
    },
  };
}

/** Checks for a description in a schema; a property that has such a name is an object. */
function isProse(key: string, value: unknown): boolean {
  return typeof value === "string" && ["title", "description", "$schema"].includes(key);
}

/** Bundles the worklet into one module without imports: audio worklets load one file. */
async function bundleWorklet(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    plugins: [engineParts()],
    build: { target: "es2022", write: false, minify: true, lib: { entry: WORKLET, formats: ["es"] } },
  });
  const [output] = Array.isArray(built) ? built : [];
  const [chunk] = output && "output" in output ? output.output : [];
  if (!chunk || !("code" in chunk)) throw new Error("the worklet's build gave no code");
  return chunk.code;
}

/** Compiles `assembly/` and returns the module as base64. */
async function compileKernels(): Promise<string> {
  const { default: asc } = await import("assemblyscript/asc");
  const folder = await mkdtemp(join(tmpdir(), "swara-kernels-"));
  try {
    const options = ["--runtime", "stub", "--enable", "simd", "-O3", "--converge", "--noAssert"];
    const { error, stderr } = await asc.main([
      "index.ts",
      "--baseDir",
      ASSEMBLY,
      "-o",
      join(folder, "kernels.wasm"),
      ...options,
    ]);
    if (error) throw new Error(`the kernels do not compile: ${stderr.toString() || error.message}`);
    return (await readFile(join(folder, "kernels.wasm"))).toString("base64");
  } finally {
    await rm(folder, { recursive: true });
  }
}
