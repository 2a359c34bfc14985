/** A stand-in for TF.js's `Cumsum` where what is summed is a phase. */

import type { GPGPUProgram, MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import * as tf from "@tensorflow/tfjs-core";
import {
  CARRIED,
  CYCLE_UNIFORMS,
  cycleUniformValues,
  PARTS,
  PREFIX_UNPACKED,
  RADIX,
  scanBlocks,
} from "./phase_scan.ts";

/** Reads the i-th value along the axis of an unpacked texture, whatever its rank; `offsetx`: TF.js shares slices. */
const LEAF = `
  ${PARTS}
  vec2 leaf(int sequence, int i) {
    int along = isReverse == 1 ? axisLength - 1 - i : i;
    int outer = sequence / inner;
    int at = (outer * axisLength + along) * inner + sequence - outer * inner + offsetx;
    return parts(texelFetch(x, ivec2(at % xTexShape.y, at / xTexShape.y), 0).r);
  }
`;

const LEAF_UNIFORMS: NonNullable<GPGPUProgram["customUniforms"]> = [
  ...CYCLE_UNIFORMS,
  { name: "axisLength", type: "int" },
  { name: "inner", type: "int" },
  { name: "isReverse", type: "int" },
];

class PhaseCumsumProgram implements GPGPUProgram {
  variableNames = ["x", "before"];
  enableShapeUniforms = true;
  customUniforms = [...LEAF_UNIFORMS, { name: "isExclusive", type: "int" as const }];
  outputShape: number[];
  userCode = `
    ${PREFIX_UNPACKED}
    ${CARRIED}
    ${LEAF}

    void main() {
      ivec2 texel = ivec2(gl_FragCoord.xy);
      int at = texel.y * outTexShape.y + texel.x;
      int outer = at / (axisLength * inner), rest = at - outer * axisLength * inner;
      int along = rest / inner, sequence = outer * inner + rest - along * inner;
      int i = isReverse == 1 ? axisLength - 1 - along : along;
      int block = i / ${RADIX}, blocks = (axisLength + ${RADIX - 1}) / ${RADIX};
      vec2 sum = prefix(sequence * blocks + block);
      for (int j = block * ${RADIX}; j < i + 1 - isExclusive; j++) sum += leaf(sequence, j);
      sum = carried(sum);
      setOutput((sum.x + sum.y) * part.x);
    }
  `;

  constructor(shape: number[]) {
    this.outputShape = shape;
  }
}

interface CumsumAttributes {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** Sums x [.., length, ..] along an axis, modulo a cycle. */
function phaseCumsum(
  x: tf.TensorInfo,
  backend: MathBackendWebGL,
  attributes: CumsumAttributes,
  cycle: number,
): tf.TensorInfo {
  const [axis = 0] = tf.util.parseAxisParam(attributes.axis, x.shape);
  const length = x.shape[axis] ?? 1;
  const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  // A few values would be uploaded as uniforms, which the shader could not read as a texture.
  backend.uploadToGPU(x.dataId);
  const uniformValues = [...cycleUniformValues(cycle), [length], [inner], [attributes.reverse ? 1 : 0]];
  const before = scanBlocks(backend, {
    variableNames: ["x"],
    packedInputs: false,
    inputs: [x],
    code: LEAF,
    uniforms: LEAF_UNIFORMS,
    uniformValues,
    sequences: tf.util.sizeFromShape(x.shape) / length,
    length,
  });
  const values = [...uniformValues, [attributes.exclusive ? 1 : 0]];
  const phases = backend.runWebGLProgram(new PhaseCumsumProgram(x.shape), [x, before], "float32", values);
  backend.disposeIntermediateTensorInfo(before);
  return phases;
}

/** TF.js's own kernel, while it is replaced. */
let stock: tf.KernelConfig | null = null;

/**
 * Replaces `Cumsum` on the webgl backend by a scan that keeps sums modulo one cycle, for graphs that sum phases: a
 * float32 sum of a minute of them is off by whole radians, a float16 one overflows.
 *
 * From here on every float32 cumsum on webgl gives `sum mod cycle`, in [0, cycle), until the returned function is
 * called; sums of integers stay what they were. So register it around the graph that needs it. In float16 textures the
 * sum is right, but what it is read from and written to is still a float16 number each: for sound use
 * `fusedHarmonics` or `scannedHarmonics`, which store no phase.
 *
 * @param cycle what a cycle is in the units that are summed: 2 pi where they are radians.
 * @returns gives TF.js its own kernel back.
 */
export function registerPhaseCumsum(cycle = 2 * Math.PI): () => void {
  stock ??= tf.getKernel(tf.Cumsum, "webgl");
  const exact = stock;
  tf.unregisterKernel(tf.Cumsum, "webgl");
  tf.registerKernel({
    kernelName: tf.Cumsum,
    backendName: "webgl",
    kernelFunc: (call) => {
      const { x } = call.inputs as { x: tf.TensorInfo };
      if (x.dtype !== "float32" || tf.util.sizeFromShape(x.shape) === 0) return exact.kernelFunc(call);
      return phaseCumsum(x, call.backend as MathBackendWebGL, call.attrs as unknown as CumsumAttributes, cycle);
    },
  });
  return unregisterPhaseCumsum;
}

function unregisterPhaseCumsum(): void {
  if (stock === null) return;
  tf.unregisterKernel(tf.Cumsum, "webgl");
  tf.registerKernel(stock);
  stock = null;
}
