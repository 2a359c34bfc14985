/** Fetches files of a bundle and checks them against the manifest. */

import { BundleError } from "./errors.ts";

export interface Source {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal | undefined;
}

/** Of a file whose size is not stated anywhere: a manifest, an index, a pointer to a version. */
const MOST_BYTES = 2 ** 24;

/** Size and hash that a file must have. */
export interface Expected {
  readonly bytes?: number;
  readonly sha256: string;
}

/**
 * Fetches the bytes of a file.
 *
 * @throws BundleError it is not there, cannot be reached, or is not what is expected. An abort is thrown as it is.
 */
export async function fetchFile(url: URL, name: string, source: Source, expected?: Expected): Promise<ArrayBuffer> {
  const bytes = await download(url, name, source, expected?.bytes ?? MOST_BYTES);
  if (expected?.bytes !== undefined && bytes.byteLength !== expected.bytes) {
    throw new BundleError(
      name,
      `has ${bytes.byteLength} bytes, not ${expected.bytes}; publish or copy the bundle again`,
    );
  }
  if (expected && (await sha256(bytes)) !== expected.sha256) {
    throw new BundleError(
      name,
      "is damaged: its sha256 is not the one in the manifest; publish or copy the bundle again",
    );
  }
  return bytes;
}

/**
 * Fetches and parses a file of JSON.
 *
 * @throws BundleError as `fetchFile`, or it is not JSON.
 */
export async function fetchJson(url: URL, name: string, source: Source, expected?: Expected): Promise<unknown> {
  const bytes = await fetchFile(url, name, source, expected);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new BundleError(name, "is not JSON", { cause });
  }
}

async function download(url: URL, name: string, source: Source, most: number): Promise<ArrayBuffer> {
  // Published versions never change; what points to them does.
  const cache = /(latest|index)\.json$/.test(url.pathname) ? "no-cache" : "default";
  try {
    const response = await source.fetch(url, { cache, ...(source.signal && { signal: source.signal }) });
    if (response.ok) return await bodyOf(response, name, most);
    throw new BundleError(name, `${response.status === 404 ? "no such file" : `HTTP ${response.status}`} at ${url}`);
  } catch (cause) {
    if (cause instanceof BundleError || source.signal?.aborted) throw cause;
    throw new BundleError(name, `cannot be reached at ${url}`, { cause });
  }
}

/** Reads a body; what is larger than it may be is not read to its end. */
async function bodyOf(response: Response, name: string, most: number): Promise<ArrayBuffer> {
  if (!response.body) return response.arrayBuffer();
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > most) {
      await reader.cancel();
      throw new BundleError(name, `has more than ${most} bytes; publish or copy the bundle again`);
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole.buffer;
}

/** Computes the SHA-256 of bytes, hex. */
export async function sha256(bytes: BufferSource): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new Error("cannot check the bundle here: browsers compute hashes only on pages from https: or localhost");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
