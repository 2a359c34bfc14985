/** The harmonic synthesiser of models/ddsp as one WebGL kernel: no texture is made but the sound's own. */

import { type GPGPUProgram, MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import { HARMONIC_SUM } from "./glsl.ts";
import { PARTS_PER_CYCLE, PHASE_COLUMNS, phaseTable } from "./phase_table.ts";

export const FUSED_HARMONICS = "SwaraFusedHarmonics";

/** Settings of a harmonic synthesiser. */
export interface HarmonicSettings {
  /** Samples a frame. */
  readonly hop: number;
  /** Hz. */
  readonly sampleRate: number;
  /** How amplitudes pass from frame to frame, as `envelope_weights` of models/ddsp/oscillator.py. */
  readonly envelope: "window" | "linear";
}

/** Uniforms that `HARMONIC_SUM` reads, and their values in the same order. */
export const BANK_UNIFORMS: NonNullable<GPGPUProgram["customUniforms"]> = [
  { name: "nyquist", type: "float" },
  { name: "hop", type: "float" },
  { name: "isWindow", type: "int" },
];

export function bankUniformValues({ hop, sampleRate, envelope }: HarmonicSettings): number[][] {
  return [[sampleRate / 2], [hop], [envelope === "window" ? 1 : 0]];
}

class FusedHarmonicsProgram implements GPGPUProgram {
  variableNames = ["amplitude", "distribution", "phases"];
  packedInputs = true;
  packedOutput = true;
  enableShapeUniforms = true; // one shader for clips of all lengths
  customUniforms = BANK_UNIFORMS;
  outputShape: number[];
  userCode = `
    ${HARMONIC_SUM}

    void main() {
      ivec2 at = getOutputCoords(); // [frame, sample], both even
      int texel = (at.x / 2) * ${PHASE_COLUMNS / 2};
      vec4 before = texelFetch(phases, texelOf(texel, phasesTexShape), 0); // hi, lo of a frame, hi, lo of the next
      vec4 f0 = texelFetch(phases, texelOf(texel + 1, phasesTexShape), 0);
      vec4 step = texelFetch(phases, texelOf(texel + 2, phasesTexShape), 0);
      vec4 change = texelFetch(phases, texelOf(texel + 3, phasesTexShape), 0);
      vec4 n = vec4(at.y, at.y + 1, at.y, at.y + 1);
      vec4 slope = vec4(vec2(change.x + change.y), vec2(change.z + change.w));

      /* exact: step.hi has 11 bits, n + 1 as many as the hop */
      vec4 exact = before.xxzz + fract(step.xxzz * (n + 1.0) / ${PARTS_PER_CYCLE}.0);
      vec4 hi = floor(exact * ${PARTS_PER_CYCLE}.0) / ${PARTS_PER_CYCLE}.0;
      vec4 lo = (before.yyww + step.yyww * (n + 1.0)) / ${PARTS_PER_CYCLE}.0;
      vec4 bend = slope * (n * (n + 1.0) / (4.0 * hop * nyquist));
      vec4 hz = f0.xxzz + f0.yyww + slope * (n / hop);
      setOutput(harmonics(at, hi, exact - hi + lo + bend, hz));
    }
  `;

  constructor(frames: number, hop: number) {
    this.outputShape = [frames, hop];
  }
}

let registered = false;

/** Registers the kernel with TF.js's webgl backend. Calling it again does nothing. */
export function registerFusedHarmonics(): void {
  if (registered) return;
  registered = true;
  tf.registerKernel({
    kernelName: FUSED_HARMONICS,
    backendName: "webgl",
    kernelFunc: ({ inputs, backend, attrs }) => {
      const { amplitude, distribution, phases } = inputs as tf.NamedTensorInfoMap &
        BankInputs & { phases: tf.TensorInfo };
      const settings = attrs as unknown as HarmonicSettings;
      const program = new FusedHarmonicsProgram(amplitude.shape[0] ?? 0, settings.hop);
      return (backend as MathBackendWebGL).runWebGLProgram(
        program,
        [amplitude, distribution, phases],
        "float32",
        bankUniformValues(settings),
      );
    },
  });
}

/** The controls that both banks of harmonics read. */
export interface BankInputs {
  /** Shape [frames, 1]. */
  readonly amplitude: tf.TensorInfo;
  /** Shape [frames, harmonics]. */
  readonly distribution: tf.TensorInfo;
}

/**
 * Renders the controls of a harmonic synthesiser (models/ddsp/synths.py, `Harmonic.get_signal`) on the webgl backend.
 *
 * @param amplitude shape [frames, 1].
 * @param distribution shape [frames, harmonics].
 * @param f0Hz one value a frame, Hz. On the CPU, where features are and where its phase is summed in float64.
 * @returns shape [frames, hop]: row by row the signal. The inputs are left to the caller.
 * @throws Error where the current backend is not webgl on WebGL 2, or the shapes do not agree.
 */
export function fusedHarmonics(
  amplitude: tf.Tensor2D,
  distribution: tf.Tensor2D,
  f0Hz: Float32Array,
  settings: HarmonicSettings,
): tf.Tensor2D {
  checkBank("fusedHarmonics", amplitude, distribution, f0Hz.length);
  registerFusedHarmonics();
  const table = phaseTable(f0Hz, settings.hop, settings.sampleRate);
  return tf.tidy(() => {
    const phases = tf.tensor2d(table, [f0Hz.length, PHASE_COLUMNS]);
    return tf.engine().runKernel(FUSED_HARMONICS, { amplitude, distribution, phases }, { ...settings }) as tf.Tensor2D;
  });
}

/** Checks shapes and backend, before a shader would fail with a message that names neither. */
export function checkBank(caller: string, amplitude: tf.Tensor2D, distribution: tf.Tensor2D, frames: number): void {
  requireWebGl2(caller);
  const [rows, columns] = amplitude.shape;
  if (rows !== frames || columns !== 1 || distribution.shape[0] !== frames || frames === 0) {
    throw new Error(
      `${caller}: f0 has ${frames} frames, so amplitude must be [${frames}, 1] and not [${amplitude.shape}], ` +
        `distribution [${frames}, harmonics] and not [${distribution.shape}]`,
    );
  }
}

/** Checks that the backend is webgl. @throws Error the current backend is another, or draws on WebGL 1. */
export function requireWebGl2(caller: string): void {
  const isWebGl = tf.backend() instanceof MathBackendWebGL;
  if (isWebGl && tf.env().getNumber("WEBGL_VERSION") === 2) return;
  const current = isWebGl ? "webgl on WebGL 1" : tf.getBackend();
  throw new Error(`${caller} runs on TensorFlow.js's webgl backend with WebGL 2; the current backend is ${current}`);
}
