/** Watches a page: every request and every error. */

import { type BrowserContext, expect, type Page } from "@playwright/test";

/** A warning of the browser about `audio_tap.ts` itself. */
const OF_THE_AUDIO_TAP = /ScriptProcessorNode is deprecated/;

/** Errors and requests of a page. */
export class Watch {
  readonly errors: string[] = [];
  readonly requests: string[] = [];

  constructor(page: Page, context: BrowserContext = page.context()) {
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      const counts = message.type() === "error" || message.type() === "warning";
      if (counts && !OF_THE_AUDIO_TAP.test(message.text())) this.errors.push(message.text());
    });
    context.on("request", (request) => this.requests.push(request.url()));
  }

  /** Checks that every request since the page was opened went to its own origin, and that there was no error. */
  expectCalm(origin: string): void {
    expect(this.errors).toEqual([]);
    expect(this.requests.filter((url) => !url.startsWith(origin) && !url.startsWith("blob:"))).toEqual([]);
  }
}
