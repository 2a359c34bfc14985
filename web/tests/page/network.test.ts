import { afterEach, expect, test, vi } from "vitest";
import { fetchAndKeep, networkIsShut, openNetwork, shutNetwork } from "../../page/store/network.ts";

afterEach(() => {
  openNetwork();
  vi.unstubAllGlobals();
});

test("while the network is shut nothing is fetched", async () => {
  const fetched = vi.fn(async () => new Response("it"));
  vi.stubGlobal("fetch", fetched);
  await shutNetwork();
  expect(networkIsShut()).toBe(true);
  await expect(fetchAndKeep("http://here/file")).rejects.toThrow("while the microphone is on");
  expect(fetched).not.toHaveBeenCalled();
  openNetwork();
  expect(await (await fetchAndKeep("http://here/file")).text()).toBe("it");
});

test("it is shut only when what was requested before has come, to its last byte, or failed", async () => {
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      body = controller;
    },
  });
  vi.stubGlobal("fetch", async (url: string) => {
    if (url.endsWith("gone")) throw new TypeError("failed");
    return new Response(stream);
  });
  const coming = fetchAndKeep("http://here/file");
  const gone = fetchAndKeep("http://here/gone").catch((error: Error) => error.message);
  let shut = false;
  const shutting = shutNetwork().then(() => {
    shut = true;
  });
  await new Promise((later) => setTimeout(later, 20));
  expect(await gone).toBe("failed");
  expect(shut).toBe(false);
  body?.enqueue(new Uint8Array([1, 2]));
  body?.close();
  await shutting;
  expect(new Uint8Array(await (await coming).arrayBuffer())).toEqual(new Uint8Array([1, 2]));
});
