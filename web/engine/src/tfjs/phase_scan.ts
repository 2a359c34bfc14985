/**
 * Prefix sums modulo one cycle, in the shader: block sums upwards, then prefixes of blocks downwards (Blelloch 1990),
 * sixteen to one.
 *
 * Every sum is a pair, counted in 1024ths of a cycle: `hi` a whole number below 1024, `lo` below 1. Both fit a float16,
 * and whole numbers add without rounding, so that the millionth phase is as right as the first. A pair has a texel of
 * its own, found by its number `sequence * blocks + block`.
 */

import type { GPGPUProgram, MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import type * as tf from "@tensorflow/tfjs-core";
import { TEXEL_OF_PACKED } from "./glsl.ts";
import { PARTS_PER_CYCLE, upperBits } from "./phase_table.ts";

/** Values to a block. */
export const RADIX = 16;

/** Up to so many sums are added up in a row rather than by another level. */
const TOP = 64;

type Uniforms = NonNullable<GPGPUProgram["customUniforms"]>;

/** Input of a scan. */
export interface Leaf {
  readonly variableNames: string[];
  readonly packedInputs: boolean;
  readonly inputs: tf.TensorInfo[];
  /** GLSL of `vec2 leaf(int sequence, int i)`: the i-th value of a sequence as hi and lo, in parts; may use `parts`. */
  readonly code: string;
  readonly uniforms: Uniforms;
  readonly uniformValues: number[][];
  readonly sequences: number;
  /** Of one sequence. */
  readonly length: number;
}

/** Uniforms of `PARTS`. */
export const CYCLE_UNIFORMS: Uniforms = [{ name: "part", type: "vec3" }];

/** Splits one part: as a number, as a hi of so few bits that products with it are exact, and as what is left. */
export function cycleUniformValues(cycle: number): number[][] {
  const part = cycle / PARTS_PER_CYCLE;
  const hi = upperBits(part);
  return [[part, hi, part - hi]];
}

/** `parts(value)`: a number in parts, as hi and lo; the remainder is taken as Cody and Waite (1980) take it. */
export const PARTS = `
  vec2 parts(float value) {
    float whole = floor(value / part.x);
    float rest = (value - whole * part.y) - whole * part.z;
    return vec2(whole, rest / part.x);
  }
`;

/** `carried(sum)`: the same phase with lo below 1 and hi below a cycle. */
export const CARRIED = `
  vec2 carried(vec2 sum) {
    float whole = floor(sum.y);
    float hi = sum.x + whole;
    return vec2(hi - ${PARTS_PER_CYCLE}.0 * floor(hi / ${PARTS_PER_CYCLE}.0), sum.y - whole);
  }
`;

/** `prefix(number)`: the sum before a block, from the texture that `scanBlocks` makes, bound as `before`. */
export const PREFIX = `
  vec2 prefix(int number) {
    return texelFetch(before, texelOf(number, beforeTexShape), 0).xy;
  }
`;

/** The same where a program takes no packed textures, so that TF.js has unpacked this one: hi and lo side by side. */
export const PREFIX_UNPACKED = `
  vec2 prefix(int number) {
    ivec2 hi = ivec2((2 * number) % beforeTexShape.y, (2 * number) / beforeTexShape.y);
    ivec2 lo = ivec2((2 * number + 1) % beforeTexShape.y, (2 * number + 1) / beforeTexShape.y);
    return vec2(texelFetch(before, hi, 0).r, texelFetch(before, lo, 0).r);
  }
`;

const PAIR_OF_THIS_TEXEL = `
  int thisNumber() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    return at.y * ((outTexShape.y + 1) / 2) + at.x;
  }
`;

/** A texture of pairs, one a texel: [2, 2n] is what TF.js packs into n texels. */
function pairShape(count: number): number[] {
  return [2, 2 * count];
}

const LENGTHS: Uniforms = [
  { name: "valueCount", type: "int" },
  { name: "blockCount", type: "int" },
];

/** Sums of blocks: of the leaves, or of the sums a level below. */
class BlockSums implements GPGPUProgram {
  packedOutput = true;
  enableShapeUniforms = true;
  variableNames: string[];
  packedInputs: boolean;
  customUniforms: Uniforms;
  outputShape: number[];
  userCode: string;

  constructor(leaf: Leaf, count: number) {
    this.variableNames = leaf.variableNames;
    this.packedInputs = leaf.packedInputs;
    this.customUniforms = [...LENGTHS, ...leaf.uniforms];
    this.outputShape = pairShape(count);
    this.userCode = `
      ${TEXEL_OF_PACKED}
      ${CARRIED}
      ${PAIR_OF_THIS_TEXEL}
      ${leaf.code}

      void main() {
        int number = thisNumber(), sequence = number / blockCount, block = number - sequence * blockCount;
        vec2 sum = vec2(0.0);
        for (int i = block * ${RADIX}; i < min((block + 1) * ${RADIX}, valueCount); i++) sum += leaf(sequence, i);
        setOutput(vec4(carried(sum), 0.0, 0.0));
      }
    `;
  }
}

/** Prefix of each of a level's sums: what its block starts with, and the sums before it in the block. */
class Prefixes implements GPGPUProgram {
  packedInputs = true;
  packedOutput = true;
  enableShapeUniforms = true;
  customUniforms = LENGTHS;
  variableNames: string[];
  outputShape: number[];
  userCode: string;

  constructor(count: number, isTop: boolean) {
    this.variableNames = isTop ? ["sums"] : ["sums", "before"];
    this.outputShape = pairShape(count);
    this.userCode = `
      ${TEXEL_OF_PACKED}
      ${isTop ? "" : PREFIX}
      ${CARRIED}
      ${PAIR_OF_THIS_TEXEL}

      void main() {
        int number = thisNumber(), sequence = number / valueCount, at = number - sequence * valueCount;
        int block = ${isTop ? "0" : `at / ${RADIX}`};
        vec2 sum = ${isTop ? "vec2(0.0)" : "prefix(sequence * blockCount + block)"};
        for (int i = block * ${RADIX}; i < at; i++) {
          sum += texelFetch(sums, texelOf(sequence * valueCount + i, sumsTexShape), 0).xy;
        }
        setOutput(vec4(carried(sum), 0.0, 0.0));
      }
    `;
  }
}

/** Wraps the sums a level below as the leaves of the level above. */
function asLeaf(sums: tf.TensorInfo, sequences: number, length: number): Leaf {
  return {
    variableNames: ["sums"],
    packedInputs: true,
    inputs: [sums],
    code: `vec2 leaf(int sequence, int i) {
      return texelFetch(sums, texelOf(sequence * valueCount + i, sumsTexShape), 0).xy;
    }`,
    uniforms: [],
    uniformValues: [],
    sequences,
    length,
  };
}

/**
 * Sums all values before each block of `RADIX` values, for every sequence.
 *
 * Textures are disposed as soon as the next level is made.
 *
 * @returns pairs, for `PREFIX`; the caller disposes it.
 */
export function scanBlocks(backend: MathBackendWebGL, leaf: Leaf): tf.TensorInfo {
  const { sequences, length } = leaf;
  const blocks = Math.ceil(length / RADIX);
  const count = sequences * blocks;
  const sums = backend.runWebGLProgram(new BlockSums(leaf, count), leaf.inputs, "float32", [
    [length],
    [blocks],
    ...leaf.uniformValues,
  ]);
  const above = blocks > TOP ? scanBlocks(backend, asLeaf(sums, sequences, blocks)) : null;
  const inputs = above === null ? [sums] : [sums, above];
  const prefixes = backend.runWebGLProgram(new Prefixes(count, above === null), inputs, "float32", [
    [blocks],
    [Math.ceil(blocks / RADIX)],
  ]);
  for (const input of inputs) backend.disposeIntermediateTensorInfo(input);
  return prefixes;
}
