/** How much memory the page holds, as far as the browser tells. */

interface Measuring {
  measureUserAgentSpecificMemory?: () => Promise<{ readonly bytes: number }>;
  readonly memory?: { readonly usedJSHeapSize: number };
}

let exact: number | null = null;
let asking = false;

/**
 * Bytes. Chromium tells exactly, wasm and buffers included, where the page is isolated, but takes its time: until then,
 * and elsewhere, its JavaScript heap. null: this browser does not tell.
 */
export async function measureMemory(): Promise<number | null> {
  const measuring = performance as Performance & Measuring;
  if (globalThis.crossOriginIsolated && measuring.measureUserAgentSpecificMemory && !asking) {
    asking = true;
    measuring
      .measureUserAgentSpecificMemory()
      .then(({ bytes }) => {
        exact = bytes;
      })
      .catch(() => undefined) // refused where other pages share this one's process
      .finally(() => {
        asking = false;
      });
  }
  return exact ?? measuring.memory?.usedJSHeapSize ?? null;
}
