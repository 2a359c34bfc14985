/** Measures audio for tests: pitch by autocorrelation, and the strength of a frequency. It uses no product code. */

/** Finds the Hz of the strongest period between 60 and 2500 Hz; 0 for silence. */
export function pitchOf(audio: Float32Array, sampleRate: number): number {
  const shortest = Math.floor(sampleRate / 2500);
  const longest = Math.min(Math.floor(sampleRate / 60), Math.floor(audio.length / 2));
  const window = audio.length - longest;
  const match = (lag: number): number => {
    let product = 0;
    let first = 0;
    let second = 0;
    for (let i = 0; i < window; i++) {
      const [a, b] = [audio[i] ?? 0, audio[i + lag] ?? 0];
      product += a * b;
      first += a * a;
      second += b * b;
    }
    return first > 0 && second > 0 ? product / Math.sqrt(first * second) : 0;
  };
  const matches = Array.from({ length: longest + 1 }, (_, lag) => (lag < shortest ? 0 : match(lag)));
  const best = Math.max(...matches);
  if (best < 0.3) return 0;
  // The first peak that is nearly the highest: later ones are multiples of the period.
  for (let lag = shortest + 1; lag < longest; lag++) {
    const [before, here, after] = [matches[lag - 1] ?? 0, matches[lag] ?? 0, matches[lag + 1] ?? 0];
    if (here < 0.97 * best || here < before || here < after) continue;
    const curve = before - 2 * here + after;
    return sampleRate / (lag + (curve < 0 ? (before - after) / (2 * curve) : 0));
  }
  return 0;
}

/** Measures the amplitude of one frequency in a sound. */
export function strengthAt(audio: Float32Array, hz: number, sampleRate: number): number {
  let x = 0;
  let y = 0;
  audio.forEach((sample, index) => {
    const turn = (2 * Math.PI * hz * index) / sampleRate;
    const taper = Math.sin((Math.PI * index) / audio.length) ** 2;
    x += taper * sample * Math.cos(turn);
    y += taper * sample * Math.sin(turn);
  });
  return (4 * Math.hypot(x, y)) / audio.length;
}
