/** A static file server on loopback, for as long as one validation takes. */

import { readFile, realpath } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, resolve, sep } from "node:path";

export interface Site {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves folders for reading.
 *
 * @param mounts first part of the URL's path -> folder, e.g. `{bundle: "/x/y"}` serves `/bundle/...`; `""` is the root.
 */
export async function serve(mounts: Readonly<Record<string, string>>): Promise<Site> {
  const server = createServer((request, response) => {
    answer(mounts, request, response).catch(() => end(response, 500));
  });
  // Port 0: the system picks a free one, so that no two validations can want the same.
  await new Promise<void>((done, failed) => server.once("error", failed).listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(mounts: Readonly<Record<string, string>>, request: IncomingMessage, response: ServerResponse) {
  if (request.method !== "GET" && request.method !== "HEAD") return end(response, 405);
  const path = await locate(mounts, request.url ?? "/");
  if (path === null) return end(response, 404);
  const body = await readFile(path).catch(() => null);
  if (body === null) return end(response, 404);
  response.writeHead(200, {
    "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
    "Content-Length": body.length,
    "Cache-Control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

/** Finds the file behind a URL, or null where none is in its folder: `..` and symbolic links cannot lead out of it. */
async function locate(mounts: Readonly<Record<string, string>>, url: string): Promise<string | null> {
  const [, first = "", ...rest] = (url.split("?")[0] ?? "").split("/");
  const [folder, parts] = Object.hasOwn(mounts, first) ? [mounts[first], rest] : [mounts[""], [first, ...rest]];
  if (folder === undefined) return null;
  try {
    const root = await realpath(folder);
    const relative = parts.map(decodeURIComponent).join("/");
    const path = await realpath(resolve(root, `./${relative === "" ? "index.html" : relative}`));
    return path.startsWith(root + sep) ? path : null;
  } catch {
    return null; // no such file, or not a URL
  }
}
