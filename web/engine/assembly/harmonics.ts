// The additive synthesiser: controls of a frame -> amplitudes of the harmonics -> the samples between two frames.
//
// Phase is an integer: a whole cycle is 2^32, so that it wraps without loss and a harmonic's phase is one addition away
// from the one below it. The float64 phase that is carried from sample to sample stays in [0, 1).

const CYCLE: f64 = 4294967296.0;
const QUARTER: i32 = 0x40000000;

// sin(pi / 2 x) for x in [-1, 1], odd, least greatest error (3e-9)
const S1: f32 = 1.5707962900223662;
const S3: f32 = -0.6459633598658405;
const S5: f32 = 0.07968848054014799;
const S7: f32 = -0.004672227922994876;
const S9: f32 = 0.00015082056443044278;

const LN_10: f32 = f32(Math.LN10);

/** Scales raw outputs of a network to controls: x = 2 * sigmoid(x + bias) ** ln(10) + 1e-7 for all of x [n]. */
export function scaleControls(x: usize, n: i32, bias: f32): void {
  for (let end = x + (usize(n) << 2); x < end; x += 4) {
    const e = Mathf.exp(-(load<f32>(x) + bias));
    // sigmoid ** ln(10) = exp(-ln(10) log(1 + e)); where e overflows the power is 0
    store<f32>(x, f32(2) * Mathf.exp(-LN_10 * Mathf.log(f32(1) + e)) + f32(1e-7));
  }
}

/**
 * Computes amplitudes of the harmonics [n] from their distribution [n]: those at or above nyquist are 0, the others are
 * divided by their sum and multiplied by amplitude.
 */
export function harmonicAmplitudes(
  distribution: usize,
  n: i32,
  f0: f32,
  nyquist: f32,
  amplitude: f32,
  out: usize,
): void {
  let sum: f32 = 0;
  let audible: i32 = 0;
  while (audible < n && f0 * f32(audible + 1) < nyquist) sum += load<f32>(distribution + (usize(audible++) << 2));
  const scale: f32 = sum > 0 ? amplitude / sum : 0;
  for (let i: i32 = 0; i < n; ++i) {
    const at = usize(i) << 2;
    store<f32>(out + at, i < audible ? load<f32>(distribution + at) * scale : 0);
  }
}

/**
 * Adds the samples between two frames to out [count].
 *
 * @param from amplitudes [n] of the frame before, `to` those of the frame after; every sample blends the two.
 * @param hz f0 at the first sample, Hz; `slope` is added from each sample to the next.
 * @param phase cycles of f0, before the first sample.
 * @param position of the first sample between the frames, 0 to 1; `step` is added from each sample to the next.
 * @param smooth blend by Hann windows instead of by straight lines.
 * @param rate Hz, of the output; at `nyquist` and above a harmonic is silent.
 * @param scratch [3, count rounded up to a multiple of 8].
 * @returns the phase after the last sample, in [0, 1).
 */
export function renderHarmonics(
  out: usize,
  count: i32,
  from: usize,
  to: usize,
  n: i32,
  hz: f64,
  slope: f64,
  phase: f64,
  position: f64,
  step: f64,
  smooth: bool,
  rate: f64,
  nyquist: f32,
  scratch: usize,
): f64 {
  const padded: i32 = (count + 7) & ~7;
  const phases = scratch;
  const frequencies = phases + (usize(padded) << 2);
  const blends = frequencies + (usize(padded) << 2);
  let last = phase;
  for (let j: i32 = 0; j < padded; ++j) {
    const at = usize(j) << 2;
    const cycles = phase + (f64(j + 1) * hz + 0.5 * f64(j) * f64(j + 1) * slope) / rate;
    const wrapped = cycles - floor<f64>(cycles);
    if (j < count) last = wrapped;
    store<u32>(phases + at, u32(i64(wrapped * CYCLE)));
    store<f32>(frequencies + at, f32(hz + f64(j) * slope));
    const rising = f32(position + f64(j) * step);
    store<f32>(blends + at, smooth ? hann(rising) : rising);
  }
  const highest = f32(max(hz, hz + f64(count - 1) * slope));
  const lowest = f32(min(hz, hz + f64(count - 1) * slope));
  // Harmonics that no sample silences, and those after them that some samples do.
  const whole = below(nyquist, highest, n);
  const any = below(nyquist, lowest, n);
  for (let j: i32 = 0; j < padded; j += 8) {
    bank(
      out + (usize(j) << 2),
      count - j,
      phases + (usize(j) << 2),
      frequencies + (usize(j) << 2),
      blends + (usize(j) << 2),
      from,
      to,
      whole,
      any,
      nyquist,
    );
  }
  return last;
}

/** Counts how many of n harmonics of a frequency lie below nyquist. */
function below(nyquist: f32, hz: f32, n: i32): i32 {
  if (hz <= 0) return n;
  let audible = i32(min<f32>(nyquist / hz, f32(n)));
  while (audible > 0 && hz * f32(audible) >= nyquist) --audible;
  while (audible < n && hz * f32(audible + 1) < nyquist) ++audible;
  return audible;
}

/** 0.5 - 0.5 cos(pi x) = sin(pi / 2 x) ** 2, x in [0, 1]. */
function hann(x: f32): f32 {
  const square = x * x;
  const sine = x * (S1 + square * (S3 + square * (S5 + square * (S7 + square * S9))));
  return sine * sine;
}

/** Adds eight samples of all harmonics to out, of which the first `count` exist. */
function bank(
  out: usize,
  count: i32,
  phases: usize,
  frequencies: usize,
  blends: usize,
  from: usize,
  to: usize,
  whole: i32,
  any: i32,
  nyquist: f32,
): void {
  const one0 = v128.load(phases),
    one1 = v128.load(phases, 16);
  const quarter = i32x4.splat(QUARTER);
  let phase0 = i32x4.sub(one0, quarter),
    phase1 = i32x4.sub(one1, quarter);
  let before0 = f32x4.splat(0),
    before1 = before0,
    after0 = before0,
    after1 = before0;
  let k: i32 = 0;
  for (; k < whole; ++k) {
    const sine0 = sine(phase0),
      sine1 = sine(phase1);
    const a = v128.load32_splat(from + (usize(k) << 2)),
      b = v128.load32_splat(to + (usize(k) << 2));
    before0 = f32x4.add(before0, f32x4.mul(a, sine0));
    before1 = f32x4.add(before1, f32x4.mul(a, sine1));
    after0 = f32x4.add(after0, f32x4.mul(b, sine0));
    after1 = f32x4.add(after1, f32x4.mul(b, sine1));
    phase0 = i32x4.add(phase0, one0);
    phase1 = i32x4.add(phase1, one1);
  }
  const limit = f32x4.splat(nyquist);
  const hz0 = v128.load(frequencies),
    hz1 = v128.load(frequencies, 16);
  for (; k < any; ++k) {
    const number = f32x4.splat(f32(k + 1));
    const sine0 = v128.and(sine(phase0), f32x4.lt(f32x4.mul(hz0, number), limit));
    const sine1 = v128.and(sine(phase1), f32x4.lt(f32x4.mul(hz1, number), limit));
    const a = v128.load32_splat(from + (usize(k) << 2)),
      b = v128.load32_splat(to + (usize(k) << 2));
    before0 = f32x4.add(before0, f32x4.mul(a, sine0));
    before1 = f32x4.add(before1, f32x4.mul(a, sine1));
    after0 = f32x4.add(after0, f32x4.mul(b, sine0));
    after1 = f32x4.add(after1, f32x4.mul(b, sine1));
    phase0 = i32x4.add(phase0, one0);
    phase1 = i32x4.add(phase1, one1);
  }
  const sum0 = blend(before0, after0, v128.load(blends)),
    sum1 = blend(before1, after1, v128.load(blends, 16));
  if (count >= 8) {
    v128.store(out, f32x4.add(v128.load(out), sum0));
    v128.store(out, f32x4.add(v128.load(out, 16), sum1), 16);
  } else {
    addSome(out, count, sum0, sum1);
  }
}

/** Computes sin of phases that a quarter cycle was taken from. */
function sine(shifted: v128): v128 {
  // cos is even: fold to [0, 1/2] cycles, and that again around 1/4, where it is minus a sine of at most 1/4 cycle
  const folded = i32x4.sub(i32x4.abs(shifted), i32x4.splat(QUARTER));
  const x = f32x4.mul(f32x4.convert_i32x4_s(folded), f32x4.splat(1.0 / 1073741824.0));
  const square = f32x4.mul(x, x);
  let sum = f32x4.add(f32x4.mul(f32x4.splat(-S9), square), f32x4.splat(-S7));
  sum = f32x4.add(f32x4.mul(sum, square), f32x4.splat(-S5));
  sum = f32x4.add(f32x4.mul(sum, square), f32x4.splat(-S3));
  sum = f32x4.add(f32x4.mul(sum, square), f32x4.splat(-S1));
  return f32x4.mul(sum, x);
}

function blend(before: v128, after: v128, rising: v128): v128 {
  return f32x4.add(before, f32x4.mul(f32x4.sub(after, before), rising));
}

function addSome(out: usize, count: i32, first: v128, second: v128): void {
  for (let i: i32 = 0; i < count; ++i) {
    const at = out + (usize(i) << 2);
    store<f32>(at, load<f32>(at) + lane(i < 4 ? first : second, i & 3));
  }
}

function lane(values: v128, index: i32): f32 {
  if (index === 0) return f32x4.extract_lane(values, 0);
  if (index === 1) return f32x4.extract_lane(values, 1);
  if (index === 2) return f32x4.extract_lane(values, 2);
  return f32x4.extract_lane(values, 3);
}
