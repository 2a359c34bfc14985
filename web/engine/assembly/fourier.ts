// Fourier transforms of split complex numbers: real and imaginary parts in blocks of their own.

/**
 * Transforms n = 2^a * 3^b values forward, by Stockham's algorithm: the blocks re, im and re2, im2 are used in
 * turn.
 *
 * @param roots cos and then sin of 2 pi i / n, [2, n].
 * @returns true where the result is in re2, im2, false where it is in re, im.
 */
export function fft(re: usize, im: usize, re2: usize, im2: usize, n: i32, roots: usize): bool {
  let left = n;
  let stride: i32 = 1;
  let swapped = false;
  while (left > 1) {
    const radix: i32 = left % 2 === 0 ? 2 : 3; // strides of 3 would not fill vectors
    left /= radix;
    if (radix === 3) pass3(re, im, re2, im2, n, left, stride, roots);
    else pass2(re, im, re2, im2, n, left, stride, roots);
    stride *= radix;
    let other = re;
    re = re2;
    re2 = other;
    other = im;
    im = im2;
    im2 = other;
    swapped = !swapped;
  }
  return swapped;
}

/** Butterflies of two: pairs that lie half of all values apart. */
function pass2(re: usize, im: usize, toRe: usize, toIm: usize, n: i32, groups: i32, stride: i32, roots: usize): void {
  const span: usize = usize(stride) << 2;
  const half: usize = usize(n) << 1;
  for (let p: i32 = 0; p < groups; ++p) {
    const root = roots + (usize(p * stride) << 2);
    const c = load<f32>(root),
      s = -load<f32>(root + (usize(n) << 2));
    const source = usize(p) * span,
      target = usize(2 * p) * span;
    if (stride < 4) {
      for (let q: usize = 0; q < span; q += 4) {
        const ar = load<f32>(re + source + q),
          ai = load<f32>(im + source + q);
        const br = load<f32>(re + source + q + half),
          bi = load<f32>(im + source + q + half);
        store<f32>(toRe + target + q, ar + br);
        store<f32>(toIm + target + q, ai + bi);
        const dr = ar - br,
          di = ai - bi;
        store<f32>(toRe + target + q + span, dr * c - di * s);
        store<f32>(toIm + target + q + span, dr * s + di * c);
      }
    } else {
      const cc = f32x4.splat(c),
        ss = f32x4.splat(s);
      for (let q: usize = 0; q < span; q += 16) {
        const ar = v128.load(re + source + q),
          ai = v128.load(im + source + q);
        const br = v128.load(re + source + q + half),
          bi = v128.load(im + source + q + half);
        v128.store(toRe + target + q, f32x4.add(ar, br));
        v128.store(toIm + target + q, f32x4.add(ai, bi));
        const dr = f32x4.sub(ar, br),
          di = f32x4.sub(ai, bi);
        v128.store(toRe + target + q + span, f32x4.sub(f32x4.mul(dr, cc), f32x4.mul(di, ss)));
        v128.store(toIm + target + q + span, f32x4.add(f32x4.mul(dr, ss), f32x4.mul(di, cc)));
      }
    }
  }
}

/** Butterflies of three. */
function pass3(re: usize, im: usize, toRe: usize, toIm: usize, n: i32, groups: i32, stride: i32, roots: usize): void {
  const third: i32 = n / 3;
  const sines = roots + (usize(n) << 2);
  const HALF_ROOT_3: f32 = 0.8660254037844386;
  for (let p: i32 = 0; p < groups; ++p) {
    const one = usize(p * stride) << 2,
      two = usize(2 * p * stride) << 2;
    const c1 = load<f32>(roots + one),
      s1 = -load<f32>(sines + one);
    const c2 = load<f32>(roots + two),
      s2 = -load<f32>(sines + two);
    for (let q: i32 = 0; q < stride; ++q) {
      const a = usize(q + stride * p) << 2,
        b = a + (usize(third) << 2),
        c = b + (usize(third) << 2);
      const sumRe = load<f32>(re + b) + load<f32>(re + c),
        sumIm = load<f32>(im + b) + load<f32>(im + c);
      const turnRe = HALF_ROOT_3 * (load<f32>(im + b) - load<f32>(im + c));
      const turnIm = HALF_ROOT_3 * (load<f32>(re + c) - load<f32>(re + b));
      const midRe = load<f32>(re + a) - f32(0.5) * sumRe,
        midIm = load<f32>(im + a) - f32(0.5) * sumIm;
      const to = usize(q + stride * 3 * p) << 2,
        next = usize(stride) << 2;
      store<f32>(toRe + to, load<f32>(re + a) + sumRe);
      store<f32>(toIm + to, load<f32>(im + a) + sumIm);
      const uRe = midRe + turnRe,
        uIm = midIm + turnIm,
        vRe = midRe - turnRe,
        vIm = midIm - turnIm;
      store<f32>(toRe + to + next, uRe * c1 - uIm * s1);
      store<f32>(toIm + to + next, uRe * s1 + uIm * c1);
      store<f32>(toRe + to + 2 * next, vRe * c2 - vIm * s2);
      store<f32>(toIm + to + 2 * next, vRe * s2 + vIm * c2);
    }
  }
}

/** a *= b, complex, [n] a multiple of 4. */
export function multiplySpectra(re: usize, im: usize, byRe: usize, byIm: usize, n: i32): void {
  const bytes: usize = usize(n) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const ar = v128.load(re + i),
      ai = v128.load(im + i),
      br = v128.load(byRe + i),
      bi = v128.load(byIm + i);
    v128.store(re + i, f32x4.sub(f32x4.mul(ar, br), f32x4.mul(ai, bi)));
    v128.store(im + i, f32x4.add(f32x4.mul(ar, bi), f32x4.mul(ai, br)));
  }
}

/**
 * Computes the weighted power of a real signal's spectrum: sum of weights[k] * |X[k]|^2 over k = 0 .. n.
 *
 * @param re, im the transform [n] of the signal's 2 n samples, even ones as real and odd ones as imaginary parts.
 * @param roots cos and then sin of 2 pi i / (2 n), [2, 2 n].
 * @param weights [n + 1].
 */
export function weightedPower(re: usize, im: usize, n: i32, roots: usize, weights: usize): f32 {
  let sum: f32 = 0;
  for (let k: i32 = 0; k <= n; ++k) {
    const at = usize(k === n ? 0 : k) << 2,
      mirror = usize(k === 0 ? 0 : n - k) << 2;
    const evenRe = f32(0.5) * (load<f32>(re + at) + load<f32>(re + mirror));
    const evenIm = f32(0.5) * (load<f32>(im + at) - load<f32>(im + mirror));
    const oddRe = f32(0.5) * (load<f32>(im + at) + load<f32>(im + mirror));
    const oddIm = f32(0.5) * (load<f32>(re + mirror) - load<f32>(re + at));
    const c = load<f32>(roots + (usize(k) << 2)),
      s = -load<f32>(roots + (usize(2 * n + k) << 2));
    const real = evenRe + oddRe * c - oddIm * s,
      imaginary = evenIm + oddRe * s + oddIm * c;
    sum += load<f32>(weights + (usize(k) << 2)) * (real * real + imaginary * imaginary);
  }
  return sum;
}

/** Windows a frame, its even samples into re and its odd ones into im [n / 2]; x, window [n]. */
export function windowFrame(x: usize, window: usize, n: i32, re: usize, im: usize): void {
  for (let end = x + (usize(n) << 2); x < end; x += 8, window += 8, re += 4, im += 4) {
    store<f32>(re, load<f32>(x) * load<f32>(window));
    store<f32>(im, load<f32>(x, 4) * load<f32>(window, 4));
  }
}
