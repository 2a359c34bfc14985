/** Messages of the page: its status, and what went wrong. */

import { signal } from "@preact/signals";

/** Read out by screen readers when it changes. */
export const status = signal("");
/** What went wrong and what to do about it; "" where nothing did. */
export const problem = signal("");

/** Shows an error's message. What was under way is not any more. */
export function report(error: unknown): void {
  status.value = "";
  problem.value = error instanceof Error ? error.message : String(error);
}
