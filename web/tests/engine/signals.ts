/** Signals and measures that the engine's tests share. */

/** Numbers uniform in [-1, 1), the same for the same seed (mulberry32). */
export function random(length: number, seed = 1): Float64Array {
  let state = seed * 0x9e3779b9;
  return Float64Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return (x ^ (x >>> 14)) / 2147483648;
  });
}

/** dB by which the reference is louder than what differs from it. */
export function snrDb(reference: ArrayLike<number>, signal: ArrayLike<number>): number {
  if (reference.length !== signal.length) throw new RangeError(`${signal.length} values, not ${reference.length}`);
  let [power, error] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    const wanted = reference[i] as number;
    power += wanted ** 2;
    error += (wanted - (signal[i] as number)) ** 2;
  }
  return 10 * Math.log10(power / error);
}

/** A melody with vibrato that swells and fades: features of `frames` frames. */
export function melody(frames: number, frameRate = 250, lowHz = 220) {
  const at = (value: (seconds: number) => number) =>
    Float32Array.from({ length: frames }, (_, t) => value(t / frameRate));
  return {
    f0Hz: at((s) => lowHz * 2 ** ((Math.floor(s * 3) % 5) / 6 + 0.02 * Math.sin(2 * Math.PI * 5.5 * s))),
    loudnessDb: at((s) => -30 + 12 * Math.sin(2 * Math.PI * 0.7 * s)),
    rms: at((s) => 0.05 * (1 + 0.8 * Math.sin(2 * Math.PI * 0.7 * s))),
  };
}
