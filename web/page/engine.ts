/** The one place where the page names the engine. */

export * from "../engine/src/index.ts";
