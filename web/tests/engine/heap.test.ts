import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { LiveCore } from "../../engine/src/live/core.ts";
import { NoiseSource } from "../../engine/src/synthesis/noise_source.ts";
import { createKernels } from "../../engine/src/wasm/kernels.ts";
import { random } from "./signals.ts";
import { smallInstrument } from "./small_bundle.ts";

const WARM_UP = 8000; // blocks until all is compiled
const MEASURED = 2000;
const MOST_BYTES = 1000; // numbers that the engine boxes on their way between functions; an array would be more

for (const architecture of ["cnn", "gru"] as const) {
  test(`the audio thread makes no objects (${architecture})`, async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const { manifest, tensors } = await smallInstrument({ architecture });
    const core = new LiveCore(await createKernels(), manifest, tensors, 48000, new NoiseSource(), () => undefined);
    const input = Float32Array.from(random(128), (value) => 0.1 * value);
    const [instrument, voice] = [new Float32Array(128), new Float32Array(128)];
    for (const source of ["voice", "keys"] as const) {
      core.settings = { ...core.settings, source, gateDb: -80 };
      for (let i = 0; i < WARM_UP; i++) core.process(input, instrument, voice);
      collectGarbage();
      const before = getHeapStatistics().used_heap_size;
      for (let i = 0; i < MEASURED; i++) core.process(input, instrument, voice);
      expect((getHeapStatistics().used_heap_size - before) / MEASURED).toBeLessThan(MOST_BYTES);
    }
  });
}
