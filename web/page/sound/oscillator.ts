/** A sinusoid sample by sample: one complex multiplication each, no call of `Math.sin`. */

/**
 * Adds a sinusoid to a ring of samples.
 *
 * @param ring added to, from `offset` on; what goes past its end comes in again at its beginning.
 * @param samples how many are added.
 * @param cycles frequency in cycles a sample.
 * @param amplitude linear, of each sample counted from the first one added.
 */
export function addSinusoid(
  ring: Float32Array,
  offset: number,
  samples: number,
  cycles: number,
  amplitude: (sample: number) => number,
): void {
  const turnX = Math.cos(2 * Math.PI * cycles);
  const turnY = Math.sin(2 * Math.PI * cycles);
  let x = 1;
  let y = 0;
  let at = offset % ring.length;
  for (let sample = 0; sample < samples; sample++) {
    ring[at] = (ring[at] ?? 0) + y * amplitude(sample);
    const turned = x * turnX - y * turnY;
    y = x * turnY + y * turnX;
    x = turned;
    if (++at === ring.length) at = 0;
  }
}

/** Scales a sound, in the same array, so that its largest sample is `peak`. */
export function normalise(audio: Float32Array, peak: number): Float32Array {
  let largest = 0;
  for (const sample of audio) largest = Math.max(largest, Math.abs(sample));
  if (largest > 0)
    for (let index = 0; index < audio.length; index++) audio[index] = ((audio[index] ?? 0) * peak) / largest;
  return audio;
}
