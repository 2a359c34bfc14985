/** Offers kernels on TF.js's webgl backend to the tests of a page, with plain arrays. */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import {
  chooseBackend,
  fusedHarmonics,
  type HarmonicSettings,
  loadControls,
  registerPhaseCumsum,
  renderClipTfjs,
  scannedHarmonics,
  type TfjsRenderOptions,
} from "../../../engine/src/tfjs/index.ts";
import { smallInstrument } from "./small_graph.ts";

export interface Bank {
  readonly amplitude: readonly number[];
  readonly distribution: readonly number[];
  /** A value a frame for the fused kernel, a value a sample for the scan. */
  readonly hz: readonly number[];
}

export interface CumsumCase {
  readonly values: readonly number[];
  readonly shape: readonly number[];
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

export interface PlainFeatures {
  readonly f0Hz: readonly number[];
  readonly loudnessDb: readonly number[];
  readonly gain?: readonly number[];
}

export interface Clips {
  readonly samples: number[];
  /** Tensors and bytes on the GPU, pool and all, after every clip. */
  readonly tensors: number[];
  readonly bytes: number[];
}

export interface TestPage {
  /** Starts the webgl backend, optionally with float16 textures. Gives the bits that a texture really keeps. */
  start(isFloat16: boolean): Promise<number>;
  fused(bank: Bank, settings: HarmonicSettings): Promise<number[]>;
  scanned(bank: Bank, settings: HarmonicSettings): Promise<number[]>;
  /** A cumsum modulo `cycle`; TF.js's own where it is null. */
  cumsum(one: CumsumCase, cycle: number | null, dtype: "float32" | "int32"): Promise<number[]>;
  /** What `chooseBackend` chooses here; the backend is then that one. */
  choose(): Promise<string>;
  /** Clips of the small instrument, one after the other, the last of which is returned; on the current backend. */
  clips(isLoop: boolean, features: PlainFeatures, options: TfjsRenderOptions, times: number): Promise<Clips>;
  use(backend: string): Promise<void>;
  /** Tensors and bytes on the GPU that nothing has given back. */
  held(): { tensors: number; bytes: number };
}

declare global {
  var swaraTest: TestPage;
}

globalThis.swaraTest = {
  async start(isFloat16) {
    setWasmPaths(`${location.origin}/wasm/`);
    tf.env().set("WEBGL_FORCE_F16_TEXTURES", isFloat16);
    await tf.setBackend("webgl");
    await tf.ready();
    // Fewer values than 129 would be summed on the CPU or sent as uniforms.
    const third = tf.tidy(() => tf.mul(tf.fill([256], 1 / 3), tf.ones([256])).dataSync()[0] ?? 0);
    return Math.round(-Math.log2(Math.abs(third - 1 / 3)));
  },
  fused(bank, settings) {
    return sound(bank, (amplitude, distribution) =>
      fusedHarmonics(amplitude, distribution, Float32Array.from(bank.hz), settings),
    );
  },
  scanned(bank, settings) {
    return sound(bank, (amplitude, distribution) =>
      scannedHarmonics(amplitude, distribution, Float64Array.from(bank.hz), settings),
    );
  },
  async cumsum(one, cycle, dtype) {
    const restore = cycle === null ? null : registerPhaseCumsum(cycle);
    try {
      const sums = tf.tidy(() => {
        const values = tf.tensor([...one.values], [...one.shape], dtype);
        return tf.cumsum(values, one.axis, one.exclusive, one.reverse);
      });
      return await valuesOf(sums);
    } finally {
      restore?.();
    }
  },
  choose: chooseBackend,
  async use(backend) {
    await tf.setBackend(backend);
  },
  async clips(isLoop, features, options, times) {
    const controls = await loadControls(smallInstrument(isLoop));
    const tensors: number[] = [];
    const bytes: number[] = [];
    let samples: Float32Array = new Float32Array(0);
    try {
      for (let i = 0; i < times; i++) {
        const f0Hz = Float32Array.from(features.f0Hz);
        const loudnessDb = Float32Array.from(features.loudnessDb);
        const gain = features.gain && { gain: Float32Array.from(features.gain) };
        samples = await renderClipTfjs(controls, { f0Hz, loudnessDb, rms: loudnessDb, ...gain }, options);
        const memory = tf.memory() as tf.MemoryInfo & { numBytesInGPUAllocated?: number };
        tensors.push(memory.numTensors);
        bytes.push(memory.numBytesInGPUAllocated ?? 0);
      }
      return { samples: [...samples], tensors, bytes };
    } finally {
      controls.dispose();
    }
  },
  held() {
    const memory = tf.memory() as tf.MemoryInfo & { numBytesInGPU: number };
    return { tensors: memory.numTensors, bytes: memory.numBytesInGPU };
  },
};

function sound(bank: Bank, play: (amplitude: tf.Tensor2D, distribution: tf.Tensor2D) => tf.Tensor2D) {
  const frames = bank.amplitude.length;
  const signal = tf.tidy(() =>
    play(
      tf.tensor2d([...bank.amplitude], [frames, 1]),
      tf.tensor2d([...bank.distribution], [frames, bank.distribution.length / frames]),
    ),
  );
  return valuesOf(signal);
}

async function valuesOf(tensor: tf.Tensor): Promise<number[]> {
  const values = await tensor.data();
  tensor.dispose();
  return [...values];
}
