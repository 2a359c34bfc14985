/** The numbers in a bundle's binary files, little-endian and row-major. */

import { BundleError } from "./errors.ts";
import type { NetworkTensor } from "./manifest.ts";

const BYTES = { float32: 4, float16: 2, uint8: 1 } as const;

/**
 * Decodes the values of one tensor, dequantised, row-major.
 *
 * @throws BundleError the file ends before the tensor does.
 */
export function decodeTensor(stored: ArrayBuffer, tensor: NetworkTensor): Float32Array {
  const length = tensor.shape.reduce((product, size) => product * size, 1);
  const end = tensor.offset + length * BYTES[tensor.dtype];
  if (end > stored.byteLength) {
    throw new BundleError(tensor.file, `${tensor.name} should end at byte ${end}, the file at ${stored.byteLength}`);
  }
  const bytes = stored.slice(tensor.offset, end); // a copy, so that any offset is aligned
  if (tensor.dtype === "float16") return decodeFloat16(bytes);
  const raw = tensor.dtype === "uint8" ? new Uint8Array(bytes) : new Float32Array(bytes);
  const { scale, min = 0 } = tensor;
  return scale === undefined ? Float32Array.from(raw) : Float32Array.from(raw, (value) => value * scale + min);
}

/** Decodes IEEE 754 half precision, [n] two bytes each. */
export function decodeFloat16(bytes: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint16Array(bytes), halfToNumber);
}

function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15) : sign * fraction * 2 ** -24;
}
