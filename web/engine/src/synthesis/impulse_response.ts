/** A reverb at another rate. */

const CROSSINGS = 32; // of the sinc, to either side

/**
 * An impulse response for audio at another rate: the same room, at the same level, with nothing above either Nyquist.
 *
 * @returns [ceil(taps * to / from)]; the same taps where the rates are equal.
 */
export function resampleImpulseResponse(taps: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return taps;
  const ratio = from / to;
  const cutoff = Math.min(1, to / from); // of the input's Nyquist
  const reach = CROSSINGS / cutoff;
  return Float32Array.from({ length: Math.ceil(taps.length / ratio) }, (_, m) => {
    const place = m * ratio;
    let sum = 0;
    const last = Math.min(taps.length - 1, Math.floor(place + reach));
    for (let n = Math.max(0, Math.ceil(place - reach)); n <= last; n++) {
      const distance = n - place;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / reach);
      sum += (taps[n] as number) * window * cutoff * sinc(cutoff * distance);
    }
    return sum * ratio;
  });
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
