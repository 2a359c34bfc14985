/** Spectra of whole sounds. */

/** Hz, from each value of `spectrumDb` to the next, as near as a whole number of samples comes to it. */
export const SPECTRUM_STEP_HZ = 15.625;

/**
 * The mean power spectrum of a sound in dB (Welch 1967: Hann windows of 64 ms that overlap by half), by the
 * definition of the Fourier transform.
 *
 * @param bins how many values.
 */
export function spectrumDb(sound: Float32Array, rate: number, bins: number): Float64Array {
  const size = Math.round(rate / SPECTRUM_STEP_HZ);
  const cosines = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sines = Float64Array.from({ length: size }, (_, i) => Math.sin((2 * Math.PI * i) / size));
  const power = new Float64Array(bins);
  const window = new Float64Array(size);
  let frames = 0;
  for (let start = 0; start + size <= sound.length; start += Math.floor(size / 2), frames++) {
    for (let i = 0; i < size; i++) window[i] = ((sound[start + i] as number) * (1 - (cosines[i] as number))) / size;
    for (let k = 0; k < bins; k++) {
      let [re, im] = [0, 0];
      for (let i = 0, turn = 0; i < size; i++) {
        re += (window[i] as number) * (cosines[turn] as number);
        im += (window[i] as number) * (sines[turn] as number);
        turn += k;
        if (turn >= size) turn -= size;
      }
      power[k] = (power[k] as number) + re * re + im * im;
    }
  }
  return power.map((sum) => 10 * Math.log10(sum / frames + 1e-20));
}
