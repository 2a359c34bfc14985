// Filters in time.

/** out += the convolution of x [n] with taps [length], length a multiple of 4; out is [n + length]. */
export function convolve(x: usize, n: i32, taps: usize, length: i32, out: usize): void {
  const bytes: usize = usize(length) << 2;
  for (let i: i32 = 0; i < n; ++i) {
    const value = v128.load32_splat(x + (usize(i) << 2));
    const at = out + (usize(i) << 2);
    for (let tap: usize = 0; tap < bytes; tap += 16) {
      v128.store(at + tap, f32x4.add(v128.load(at + tap), f32x4.mul(value, v128.load(taps + tap))));
    }
  }
}

/**
 * Writes `count` samples of a polyphase resampler to out.
 *
 * @param x the window of the first sample starts here.
 * @param table [phases, length]: the filters; length is a multiple of 4.
 * @param phase of the first sample; each step adds `advance` phases, and every `phases` of them one input sample.
 */
export function resample(
  x: usize,
  table: usize,
  phases: i32,
  length: i32,
  phase: i32,
  advance: i32,
  out: usize,
  count: i32,
): void {
  const stride: usize = usize(length) << 2;
  for (let i: i32 = 0; i < count; ++i) {
    store<f32>(out + (usize(i) << 2), dot(x, table + usize(phase) * stride, length));
    phase += advance;
    while (phase >= phases) {
      phase -= phases;
      x += 4;
    }
  }
}

/** Sums the products of x [n] and y [n]; n is a multiple of 4. */
export function dot(x: usize, y: usize, n: i32): f32 {
  let a = f32x4.splat(0),
    b = a;
  const bytes: usize = usize(n) << 2;
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    a = f32x4.add(a, f32x4.mul(v128.load(x + i), v128.load(y + i)));
    b = f32x4.add(b, f32x4.mul(v128.load(x + i, 16), v128.load(y + i, 16)));
  }
  if (i < bytes) a = f32x4.add(a, f32x4.mul(v128.load(x + i), v128.load(y + i)));
  a = f32x4.add(a, b);
  return f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3);
}
