/** Finds and loads instruments as they were published. */

import schema from "swara:manifest-schema";
import { checkPlayable } from "../network/check_playable.ts";
import { MOST_FILE_BYTES } from "../network/limits.ts";
import { wholeResponse } from "../synthesis/impulse_response.ts";
import { contentText } from "./content_hash.ts";
import { BundleError } from "./errors.ts";
import { type Expected, fetchFile, fetchJson, type Source, sha256 } from "./fetching.ts";
import type { Manifest } from "./manifest.ts";
import { type Schema, violation } from "./schema.ts";
import { decodeFloat16, decodeTensor } from "./weights.ts";

const FORMAT_VERSION = 1;
const INDEX_FORMAT_VERSION = 1;
const VERSION_FOLDER = /^\d{8}T\d{6}Z-([0-9a-f]{8})$/;

/** One line of `pushed/index.json`. */
export interface InstrumentEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** Of its manifest: what `loadInstrument` takes. */
  readonly url: URL;
  /** Bytes that a page fetches to run each TensorFlow.js graph, manifest and reverb included. */
  readonly download: Readonly<Record<string, { readonly bytes: number; readonly gzip_bytes: number }>>;
}

export interface LoadOptions {
  /** Instead of the global one. */
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/** An instrument as it ships, checked. */
export interface Instrument {
  readonly manifest: Manifest;
  /** Of the manifest. */
  readonly url: URL;
  /** The network's tensors by name, dequantised, row-major. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** What the reverb adds to the dry sound, at the bundle's rate; no taps where there is none. */
  readonly impulseResponse: Float32Array;
  /** Bytes fetched, before any compression on the way: the manifest, the weights and the reverb. */
  readonly bytes: number;
  /**
   * Fetches any file of the bundle, such as a graph, checked against its size and hash.
   *
   * @throws BundleError it is not part of the bundle, not there, or damaged.
   */
  file(path: string, signal?: AbortSignal): Promise<ArrayBuffer>;
}

/**
 * Lists all instruments of a folder that `swara run` publishes to.
 *
 * @param root the folder, `pushed/`.
 * @throws BundleError there is no index, or its format is not supported here.
 */
export async function listInstruments(root: string | URL, options: LoadOptions = {}): Promise<InstrumentEntry[]> {
  const base = folderUrl(root);
  const name = "index.json";
  const index = (await fetchJson(new URL(name, base), name, sourceOf(options))) as IndexFile | null;
  if (index?.format_version !== INDEX_FORMAT_VERSION || !Array.isArray(index.instruments)) {
    throw new BundleError(name, `is not an index of format ${INDEX_FORMAT_VERSION}, the only one known to this engine`);
  }
  const fault = violation(index.instruments, INDEX_LINES);
  if (fault) throw new BundleError(name, `instruments/${fault}`);
  return index.instruments.map(({ manifest, ...entry }) => ({ ...entry, url: new URL(manifest, base) }));
}

/** A path below the folder of the file that holds it: no other host, and no folder above. */
const PATH: Schema = { type: "string", pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$" };
const TEXTS = ["name", "title", "description", "version"] as const;
const INDEX_LINES: Schema = {
  type: "array",
  items: {
    type: "object",
    required: [...TEXTS, "manifest", "download"],
    properties: {
      manifest: PATH,
      ...Object.fromEntries(TEXTS.map((text) => [text, { type: "string" }])),
      download: { type: "object", additionalProperties: { type: "object" } },
    },
  },
};

interface IndexFile {
  readonly format_version: number;
  readonly instruments: readonly (Omit<InstrumentEntry, "url"> & { readonly manifest: string })[];
}

/**
 * Loads an instrument and checks it: manifest against its schema, every file that is needed by size and hash.
 *
 * @param url `pushed/NAME/` (the version that is served), `pushed/NAME/VERSION/`, or a manifest.
 * @throws BundleError a file is missing or damaged, or its format is not supported.
 */
export async function loadInstrument(url: string | URL, options: LoadOptions = {}): Promise<Instrument> {
  const source = sourceOf(options);
  const located = await findManifest(url, source);
  const stored = await fetchFile(located.url, located.name, source, located.expected);
  const manifest = readManifest(stored, located.name);
  await checkVersion(stored, located);
  const file = bundleFiles(located.url, manifest, source);
  const { files, tensors } = await loadTensors(manifest, file);
  const reverb = await loadReverb(manifest, file);
  const bytes = stored.byteLength + files.reduce((sum, part) => sum + part.byteLength, 0) + reverb.bytes;
  const { impulseResponse } = reverb;
  return { manifest, url: located.url, tensors, impulseResponse, bytes, file };
}

/**
 * Reads a manifest.
 *
 * @param name of the file, for messages.
 * @throws BundleError it is not JSON, of an unknown format, does not follow the schema, or cannot be played here.
 */
export function readManifest(stored: ArrayBuffer | Uint8Array, name: string): Manifest {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(new TextDecoder().decode(stored));
  } catch (cause) {
    throw new BundleError(name, "is not JSON", { cause });
  }
  if (manifest?.format !== "swara-bundle") throw new BundleError(name, "is not the manifest of a Swara bundle");
  if (manifest.format_version !== FORMAT_VERSION) {
    const supported = `this engine reads ${FORMAT_VERSION}; use the engine that came with the bundle's pipeline`;
    throw new BundleError(name, `has format version ${JSON.stringify(manifest.format_version)}, ${supported}`);
  }
  const fault = violation(manifest, schema);
  if (fault) throw new BundleError(name, fault);
  checkPlayable(manifest, name);
  return manifest;
}

interface Located {
  readonly url: URL;
  readonly name: string;
  readonly expected?: Expected;
}

async function findManifest(given: string | URL, source: Source): Promise<Located> {
  const url = absolute(given);
  if (url.pathname.endsWith(".json")) return { url, name: url.pathname.split("/").at(-1) ?? "" };
  const folder = folderUrl(url);
  if (VERSION_FOLDER.test(folder.pathname.split("/").at(-2) ?? "")) {
    return { url: new URL("manifest.json", folder), name: "manifest.json" };
  }
  const latest = (await fetchJson(new URL("latest.json", folder), "latest.json", source)) as Latest | null;
  const fault = violation(latest, LATEST);
  if (!latest || fault) throw new BundleError("latest.json", `does not name a manifest and its sha256: ${fault}`);
  return { url: new URL(latest.manifest, folder), name: latest.manifest, expected: { sha256: latest.sha256 } };
}

/** Checks a manifest against the hash in its version's name, where it lies in the folder of a version. */
async function checkVersion(stored: ArrayBuffer, { url, name }: Located): Promise<void> {
  const [, named] = VERSION_FOLDER.exec(url.pathname.split("/").at(-2) ?? "") ?? [];
  if (named === undefined) return;
  const found = (await sha256(new Uint8Array(stored))).slice(0, named.length);
  if (found === named) return;
  const content = contentText(new TextDecoder().decode(stored)); // of versions with older names
  if ((await sha256(new TextEncoder().encode(content))).startsWith(named)) return;
  const fault = `it has the hash ${found}, and the version's name ${named}`;
  throw new BundleError(name, `was changed after it was published: ${fault}; publish or copy the bundle again`);
}

const LATEST: Schema = {
  type: "object",
  required: ["manifest", "sha256"],
  properties: { manifest: PATH, sha256: { type: "string", pattern: "^[0-9a-f]{64}$" } },
};

interface Latest {
  readonly manifest: string;
  readonly sha256: string;
}

function bundleFiles(manifestUrl: URL, manifest: Manifest, source: Source): Instrument["file"] {
  return async (path, signal) => {
    const expected = manifest.files.find((part) => part.path === path);
    if (!expected) throw new BundleError(path, "is not among the files of the manifest");
    if (expected.bytes > MOST_FILE_BYTES) {
      throw new BundleError(path, `has ${expected.bytes} bytes by the manifest, more than any bundle's file`);
    }
    return fetchFile(new URL(path, manifestUrl), path, { ...source, signal: signal ?? source.signal }, expected);
  };
}

async function loadTensors(manifest: Manifest, file: Instrument["file"]) {
  const described = manifest.network.tensors;
  const names = [...new Set(described.map((tensor) => tensor.file))];
  const files = await Promise.all(names.map((name) => file(name)));
  const stored = new Map(names.map((name, index) => [name, files[index] as ArrayBuffer]));
  const tensors = new Map(
    described.map((tensor) => [tensor.name, decodeTensor(stored.get(tensor.file) as ArrayBuffer, tensor)] as const),
  );
  for (const { name, file: of } of described) {
    if (!tensors.get(name)?.every(Number.isFinite)) {
      throw new BundleError(of, `${name} holds a value that is not finite`);
    }
  }
  return { files, tensors };
}

async function loadReverb(manifest: Manifest, file: Instrument["file"]) {
  const described = manifest.reverb;
  if (!described) return { impulseResponse: new Float32Array(0), bytes: 0 };
  const stored = await file(described.file);
  const taps = decodeFloat16(stored);
  const expected = described.early_taps ?? described.taps;
  if (taps.length !== expected) throw new BundleError(described.file, `holds ${taps.length} taps, not ${expected}`);
  if (!taps.every(Number.isFinite)) throw new BundleError(described.file, "holds a tap that is not finite");
  return { impulseResponse: wholeResponse(taps, described), bytes: stored.byteLength };
}

function sourceOf(options: LoadOptions): Source {
  // Called as a method of anything but its own global, a browser's fetch refuses.
  return { fetch: options.fetch ?? ((input, init) => fetch(input, init)), signal: options.signal };
}

function absolute(url: string | URL): URL {
  return new URL(url, globalThis.location?.href);
}

function folderUrl(url: string | URL): URL {
  const folder = absolute(url);
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  return folder;
}
