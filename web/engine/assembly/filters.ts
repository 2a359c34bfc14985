// Filters in time.

/**
 * out += x [n] convolved with taps [length]; n is a multiple of 8, length of 4.
 *
 * Eight samples at a time: what is added up is loaded and stored once for all of them.
 *
 * @param taps 8 zeros stand before and 8 after them.
 * @param out [n + length].
 */
export function convolve(x: usize, n: i32, taps: usize, length: i32, out: usize): void {
  const begin = taps - 28;
  const end = taps + (usize(length) << 2);
  for (let i: i32 = 0; i < n; i += 8) {
    const first = x + (usize(i) << 2);
    const a = v128.load32_splat(first),
      b = v128.load32_splat(first, 4),
      c = v128.load32_splat(first, 8),
      d = v128.load32_splat(first, 12),
      e = v128.load32_splat(first, 16),
      f = v128.load32_splat(first, 20),
      g = v128.load32_splat(first, 24),
      h = v128.load32_splat(first, 28);
    let at = out + (usize(i) << 2);
    for (let tap = begin; tap < end; tap += 16) {
      const late = f32x4.add(
        f32x4.add(f32x4.mul(h, v128.load(tap)), f32x4.mul(g, v128.load(tap, 4))),
        f32x4.add(f32x4.mul(f, v128.load(tap, 8)), f32x4.mul(e, v128.load(tap, 12))),
      );
      const early = f32x4.add(
        f32x4.add(f32x4.mul(d, v128.load(tap, 16)), f32x4.mul(c, v128.load(tap, 20))),
        f32x4.add(f32x4.mul(b, v128.load(tap, 24)), f32x4.mul(a, v128.load(tap, 28))),
      );
      v128.store(at, f32x4.add(v128.load(at), f32x4.add(late, early)));
      at += 16;
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
