/** Serves files to a browser with the policy that a careful page has. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
};

/** No code from strings, no data: or blob: scripts; compiling WebAssembly is allowed. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

export interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Serves files on a free port of this machine.
 *
 * @param files path -> content; called at every request. @param strict whether the policy is sent.
 */
export async function serveSite(
  files: (path: string) => string | Uint8Array | undefined,
  strict: (path: string) => boolean = () => true,
): Promise<Site> {
  const server = createServer((request, response) => {
    const path = decodeURI(new URL(request.url ?? "/", "http://site").pathname).slice(1);
    const content = files(path);
    response.writeHead(content === undefined ? 404 : 200, {
      "Content-Type": TYPES[path.split(".").at(-1) ?? ""] ?? "application/octet-stream",
      ...(strict(path) && { "Content-Security-Policy": POLICY }),
    });
    response.end(content);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((done) => server.close(() => done())),
  };
}
