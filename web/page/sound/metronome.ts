/** The clicks of a metronome. */

/**
 * Makes a click: a short ping, higher on the first beat of a bar.
 *
 * @returns [samples], its peak at most 0.6.
 */
export function click(accented: boolean, sampleRate: number): Float32Array<ArrayBuffer> {
  const hz = accented ? 1760 : 1175;
  const samples = Math.round(0.06 * sampleRate);
  return Float32Array.from({ length: samples }, (_, sample) => {
    const seconds = sample / sampleRate;
    return 0.6 * Math.sin(2 * Math.PI * hz * seconds) * Math.exp(-seconds / 0.012) * (1 - seconds / 0.06);
  });
}

/**
 * Makes a stretch of clicks.
 *
 * @param beats how many.
 * @param beatSeconds from one to the next.
 * @param firstInBar number of the first beat in its bar; 0 is the accented beat.
 * @returns [samples], `beats * beatSeconds` long.
 */
export function metronome(
  beats: number,
  beatSeconds: number,
  beatsPerBar: number,
  firstInBar: number,
  sampleRate: number,
): Float32Array<ArrayBuffer> {
  const audio = new Float32Array(Math.ceil(beats * beatSeconds * sampleRate));
  for (let beat = 0; beat < beats; beat++) {
    const start = Math.round(beat * beatSeconds * sampleRate);
    const sound = click((beat + firstInBar) % beatsPerBar === 0, sampleRate);
    audio.set(sound.subarray(0, Math.max(0, audio.length - start)), start);
  }
  return audio;
}
