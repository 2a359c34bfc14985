/** The Fourier transform in plain JavaScript. */

/** Transforms forward, into the same arrays, whose length is a power of two (Cooley and Tukey 1965). */
export function transform(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  reverseBits(re, im);
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const c = Math.cos((Math.PI * k) / half);
      const s = -Math.sin((Math.PI * k) / half);
      for (let i = k; i < size; i += 2 * half) {
        const j = i + half;
        const [ar, ai, br, bi] = [re[i], im[i], re[j], im[j]] as [number, number, number, number];
        const tr = br * c - bi * s;
        const ti = br * s + bi * c;
        re[i] = ar + tr;
        im[i] = ai + ti;
        re[j] = ar - tr;
        im[j] = ai - ti;
      }
    }
  }
}

function reverseBits(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    for (const values of [re, im]) {
      const kept = values[i] as number;
      values[i] = values[j] as number;
      values[j] = kept;
    }
  }
}
