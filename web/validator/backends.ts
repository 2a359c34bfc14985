/** Results of running the cases on one backend. */

import type { Case } from "./cases.ts";
import type { GraphRun } from "./graph.ts";

export interface BackendRun {
  /** Version of the browser; null in Node. */
  browser: string | null;
  /** Why the backend did not do all its work; null where every graph was tried. */
  error: string | null;
  /** Whether that was the browser's own end (a crash, or it does not start) and proves nothing about the bundle. */
  died: boolean;
  /** The renderer behind WebGL, where there is one. */
  renderer: string | null;
  /** Errors that the page wrote to its console or threw. */
  readonly console: string[];
  /** Graph -> its results, or TF.js's message where it failed. */
  readonly graphs: Record<string, GraphRun | { readonly error: string }>;
}

export function emptyRun(): BackendRun {
  return { browser: null, error: null, died: false, renderer: null, console: [], graphs: {} };
}

/** Groups the cases by graph, graphs in order of their first case. */
export function byGraph(cases: readonly Case[]): [graph: string, cases: Case[]][] {
  const graphs = [...new Set(cases.map((item) => item.graph))];
  return graphs.map((graph) => [graph, cases.filter((item) => item.graph === graph)]);
}

/** Takes the first line of an error, for people; without the names that Playwright puts before what a page threw. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [first = text] = text.split("\n");
  return first.replace(/^page\.\w+: (Error: )?/, "");
}
