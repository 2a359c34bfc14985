/** FIR filters of noise, from magnitudes. */

/**
 * Designs the linear map from magnitudes to the taps of a causal, linear-phase filter: frequency sampling with a Hann
 * window (`models/ddsp/filters.py`, response_matrix). At another rate than the bundle's the filter is the same function
 * of time, for noise of the same power in the same band; what would lie at the bundle's Nyquist or above is left out.
 *
 * @param bands magnitudes, evenly spaced from 0 Hz to half the bundle's rate.
 * @param own Hz, the bundle's rate. @param rate Hz, of the noise.
 * @returns [bands, taps] row-major; taps is 2 * (bands - 1) at the bundle's own rate.
 */
export function responseMatrix(bands: number, own: number, rate: number): Float64Array {
  const period = 2 * (bands - 1); // of the lowest band, at the bundle's rate
  const taps = Math.ceil((period * rate) / own);
  const level = Math.sqrt(own / rate) / period;
  const matrix = new Float64Array(bands * taps);
  for (let band = 0; band < bands; band++) {
    const outermost = band === 0 || band === bands - 1;
    const audible = rate === own || (band < bands - 1 && (band * own) / period < rate / 2);
    const weight = audible ? (outermost ? 1 : 2) * level : 0;
    for (let tap = 0; tap < taps; tap++) {
      const time = (tap * own) / rate; // samples of the bundle's
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * time) / period);
      matrix[band * taps + tap] = weight * Math.cos((2 * Math.PI * band * (time - period / 2)) / period) * hann;
    }
  }
  return matrix;
}

/**
 * Counts the samples at the bundle's rate that are cut from the front of filtered noise for its filter's delay
 * (`models/ddsp/filters.py`, group_delay).
 */
export function groupDelay(bands: number): number {
  return Math.max(Math.floor((2 * (bands - 1) - 1) / 2) - 1, 0);
}
