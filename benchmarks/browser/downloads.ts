/** Measures what a page downloads before it can play live. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Manifest } from "../../web/engine/src/bundle/manifest.ts";
import type { Bench, Line } from "./measure.ts";

/**
 * Bytes with gzip: of the engine (all but what is for TF.js), and of the files that it fetches of the bundle.
 *
 * @param engine folder of the built engine.
 */
export async function downloads({ bundle }: Bench, engine: string): Promise<Line> {
  const own = readdirSync(engine).filter((name) => name.endsWith(".js") && name !== "tfjs.js");
  const manifest = await (await fetch(bundle)).text();
  const { network, reverb, files } = JSON.parse(manifest) as Manifest;
  const needed = new Set([...network.tensors.map((tensor) => tensor.file), ...(reverb ? [reverb.file] : [])]);
  const rest = files.filter((file) => needed.has(file.path)).map((file) => file.gzip_bytes);
  return {
    benchmark: "downloads",
    engine_gzip_bytes: sum(own.map((name) => gzipped(readFileSync(join(engine, name))))),
    bundle_gzip_bytes: sum([gzipped(Buffer.from(manifest)), ...rest]),
  };
}

function gzipped(bytes: Buffer): number {
  return gzipSync(bytes, { level: 9 }).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
