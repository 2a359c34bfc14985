/** How much memory the page holds, as far as the browser reports it. */

interface MemoryReports {
  measureUserAgentSpecificMemory?: () => Promise<{ readonly bytes: number }>;
  readonly memory?: { readonly usedJSHeapSize: number };
}

let exact: number | null = null;
let measuring = false;

/**
 * Measures the page's memory in bytes. Chromium reports it exactly, wasm and buffers included, where the page is
 * isolated, but takes its time: until then, and elsewhere, its JavaScript heap. null: this browser does not report it.
 */
export async function measureMemory(): Promise<number | null> {
  const reports = performance as Performance & MemoryReports;
  if (globalThis.crossOriginIsolated && reports.measureUserAgentSpecificMemory && !measuring) {
    measuring = true;
    reports
      .measureUserAgentSpecificMemory()
      .then(({ bytes }) => {
        exact = bytes;
      })
      .catch(() => undefined) // refused where other pages share this one's process
      .finally(() => {
        measuring = false;
      });
  }
  return exact ?? reports.memory?.usedJSHeapSize ?? null;
}
