/** Made by `build/plugin.ts` from `assembly/`: a WebAssembly module as base64. */
declare module "swara:kernels" {
  const base64: string;
  export default base64;
}

/** Made by `build/plugin.ts` from the manifest's JSON Schema. */
declare module "swara:manifest-schema" {
  import type { Schema } from "./bundle/schema.ts";

  const schema: Schema;
  export default schema;
}

/** Made by `build/plugin.ts` from `src/live/worklet.ts`: the worklet's module as text. */
declare module "swara:worklet" {
  const code: string;
  export default code;
}
