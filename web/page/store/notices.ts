/** What the page has to say: how things stand, and what went wrong. */

import { signal } from "@preact/signals";

/** Read out by screen readers when it changes. */
export const status = signal("");
/** What went wrong and what to do about it; "" where nothing did. */
export const problem = signal("");

/** Says what went wrong, in the words of the error. What was under way is not any more. */
export function report(error: unknown): void {
  status.value = "";
  problem.value = error instanceof Error ? error.message : String(error);
}
