import type { Block } from "../wasm/kernels.ts";

/** An architecture, one frame at a time: `step` reads `input` and writes `output`; its state is its own. */
export interface NetworkSteps {
  readonly input: Block;
  readonly output: Block;
  step(): void;
  reset(): void;
}
