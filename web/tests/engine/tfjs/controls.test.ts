import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { backendOrder, chooseBackend } from "../../../engine/src/tfjs/backend.ts";
import { loadControls } from "../../../engine/src/tfjs/controls.ts";
import { expectedControls, smallInstrument } from "./small_graph.ts";

const features = {
  f0Hz: Float32Array.from({ length: 20 }, (_, t) => 200 + 10 * t),
  loudnessDb: Float32Array.from({ length: 20 }, (_, t) => -60 + 2 * t),
  rms: new Float32Array(20).fill(0.1),
};

beforeAll(() => {
  // With threads the wasm backend would keep its workers, and so this process, alive.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
});

test("without a graphics card wasm computes; a loop never waits for a card", async () => {
  expect(await chooseBackend()).toBe("wasm");
  expect(backendOrder(true, false)).toEqual(["webgl", "wasm", "cpu"]);
  expect(backendOrder(true, true)).toEqual(["wasm", "cpu"]);
  expect(backendOrder(false, false)).not.toContain("webgl");
});

test.each([
  ["wasm", false],
  ["wasm", true],
  ["cpu", false],
  ["cpu", true],
])(
  "on %s the controls are the graph's, with a loop (%s) or without, and no tensor is left",
  async (backend, isLoop) => {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const controls = await loadControls(smallInstrument(isLoop));
    const loaded = tf.memory().numTensors;
    const expected = expectedControls(features.f0Hz, features.loudnessDb, isLoop);
    for (let run = 0; run < 3; run++) {
      const made = await controls.run(features);
      expect(Object.keys(made)).toEqual(Object.keys(expected));
      for (const [name, tensor] of Object.entries(made)) {
        expect(tensor.shape[0]).toBe(20);
        const off = Array.from(await tensor.data(), (value, i) =>
          Math.abs(value - (expected[name]?.[i] ?? Number.NaN)),
        );
        expect(Math.max(...off)).toBeLessThan(1e-6);
      }
      tf.dispose(made);
      expect(tf.memory().numTensors).toBe(loaded);
    }
    controls.dispose();
    expect(tf.memory().numTensors).toBe(before);
  },
);

test("features of different lengths are refused", async () => {
  const controls = await loadControls(smallInstrument(false));
  const short = { ...features, loudnessDb: features.loudnessDb.slice(1) };
  await expect(controls.run(short)).rejects.toThrow("the features differ in length: 20, 19 and 20 frames");
  controls.dispose();
});

test("a graph that TF.js does not know is an error of the bundle, with the file's name", async () => {
  const instrument = smallInstrument(false);
  const file = async (path: string) =>
    path.endsWith(".json") ? (new TextEncoder().encode("{}").buffer as ArrayBuffer) : instrument.file(path);
  await expect(loadControls({ ...instrument, file })).rejects.toThrow("controls/model.json");
});
