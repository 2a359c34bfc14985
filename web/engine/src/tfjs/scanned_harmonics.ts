/** A bank of harmonics over a frequency that is free at every sample: its phase is a scan in the shader. */

import type { GPGPUProgram, MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import {
  BANK_UNIFORMS,
  type BankInputs,
  bankUniformValues,
  checkBank,
  type HarmonicSettings,
} from "./fused_harmonics.ts";
import { HARMONIC_SUM } from "./glsl.ts";
import { CARRIED, CYCLE_UNIFORMS, cycleUniformValues, PARTS, PREFIX, RADIX, scanBlocks } from "./phase_scan.ts";
import { PARTS_PER_CYCLE, upperBits } from "./phase_table.ts";

export const SCANNED_HARMONICS = "SwaraScannedHarmonics";

/** A packed texel holds two successive samples, each as hi and lo. */
const LEAF = `
  ${PARTS}
  vec2 hzOf(int i) {
    vec4 two = texelFetch(hz, texelOf(i / 2, hzTexShape), 0);
    return i % 2 == 0 ? two.xy : two.zw;
  }
  vec2 leaf(int sequence, int i) {
    vec2 value = hzOf(i);
    return parts(value.x) + parts(value.y);
  }
`;

class ScannedHarmonicsProgram implements GPGPUProgram {
  variableNames = ["amplitude", "distribution", "hz", "before"];
  packedInputs = true;
  packedOutput = true;
  enableShapeUniforms = true;
  customUniforms = [...BANK_UNIFORMS, ...CYCLE_UNIFORMS];
  outputShape: number[];
  userCode = `
    ${HARMONIC_SUM}
    ${PREFIX}
    ${CARRIED}
    ${LEAF}

    vec2 phaseAt(int i) {
      int block = i / ${RADIX};
      vec2 sum = prefix(block);
      for (int j = block * ${RADIX}; j <= i; j++) sum += leaf(0, j);
      return sum;
    }

    void main() {
      ivec2 at = getOutputCoords(); // [frame, sample], both even
      int i = at.x * int(hop) + at.y, last = hzShape.x - 1;
      ivec4 samples = min(ivec4(i, i + 1, i + int(hop), i + int(hop) + 1), ivec4(last));
      vec2 first = phaseAt(samples.x), third = phaseAt(samples.z);
      vec2 second = carried(first + leaf(0, samples.y)), fourth = carried(third + leaf(0, samples.w));
      first = carried(first);
      third = carried(third);
      vec2 a = hzOf(samples.x), b = hzOf(samples.y), c = hzOf(samples.z), d = hzOf(samples.w);
      setOutput(harmonics(
        at,
        vec4(first.x, second.x, third.x, fourth.x) / ${PARTS_PER_CYCLE}.0,
        vec4(first.y, second.y, third.y, fourth.y) / ${PARTS_PER_CYCLE}.0,
        vec4(a.x + a.y, b.x + b.y, c.x + c.y, d.x + d.y)
      ));
    }
  `;

  constructor(frames: number, hop: number) {
    this.outputShape = [frames, hop];
  }
}

let registered = false;

/** Registers the kernel with TF.js's webgl backend. Calling it again does nothing. */
export function registerScannedHarmonics(): void {
  if (registered) return;
  registered = true;
  tf.registerKernel({
    kernelName: SCANNED_HARMONICS,
    backendName: "webgl",
    kernelFunc: ({ inputs, backend, attrs }) => {
      const { amplitude, distribution, hz } = inputs as tf.NamedTensorInfoMap & BankInputs & { hz: tf.TensorInfo };
      const webgl = backend as MathBackendWebGL;
      const settings = attrs as unknown as HarmonicSettings;
      const cycle = cycleUniformValues(settings.sampleRate); // a sum of Hz, one a sample, has gone round at this
      const before = scanBlocks(webgl, {
        variableNames: ["hz"],
        packedInputs: true,
        inputs: [hz],
        code: LEAF,
        uniforms: CYCLE_UNIFORMS,
        uniformValues: cycle,
        sequences: 1,
        length: hz.shape[0] ?? 0,
      });
      const program = new ScannedHarmonicsProgram(amplitude.shape[0] ?? 0, settings.hop);
      const values = [...bankUniformValues(settings), ...cycle];
      const signal = webgl.runWebGLProgram(program, [amplitude, distribution, hz, before], "float32", values);
      webgl.disposeIntermediateTensorInfo(before);
      return signal;
    },
  });
}

/**
 * Renders as `fusedHarmonics`, for a frequency given at every sample rather than at every frame: then no closed form
 * holds.
 *
 * @param amplitude shape [frames, 1].
 * @param distribution shape [frames, harmonics].
 * @param hz frames * hop values, Hz; float64 where a long signal must not drift by what float32 rounds.
 * @returns shape [frames, hop]: row by row the signal. The inputs are left to the caller.
 * @throws Error where the current backend is not webgl on WebGL 2, or the shapes do not agree.
 */
export function scannedHarmonics(
  amplitude: tf.Tensor2D,
  distribution: tf.Tensor2D,
  hz: Float32Array | Float64Array,
  settings: HarmonicSettings,
): tf.Tensor2D {
  checkBank("scannedHarmonics", amplitude, distribution, hz.length / settings.hop);
  registerScannedHarmonics();
  const pairs = new Float32Array(2 * hz.length);
  hz.forEach((value, i) => {
    const hi = upperBits(value);
    pairs[2 * i] = hi;
    pairs[2 * i + 1] = value - hi;
  });
  return tf.tidy(() => {
    const curve = tf.tensor2d(pairs, [hz.length, 2]);
    return tf
      .engine()
      .runKernel(SCANNED_HARMONICS, { amplitude, distribution, hz: curve }, { ...settings }) as tf.Tensor2D;
  });
}
