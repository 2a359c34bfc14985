/** Tuning of a voice, and its correction to the notes of a scale (`player/adjust.py`). */

const OFFSETS = Float64Array.from({ length: 101 }, (_, i) => -0.5 + i / 100); // semitones
/** Semitones: where two notes are equally near to within this, the lower one is taken. */
const TIE = 1e-5;
const MAJOR = [0, 2, 4, 5, 7, 9, 11];
const SCALES = Array.from({ length: 12 }, (_, key) =>
  Array.from({ length: 70 }, (_, i) => (MAJOR[i % 7] as number) + 12 * Math.floor(i / 7) + key),
);

export function nearestSemitone(midi: number): number {
  return Math.ceil(midi - 0.5 - TIE);
}

/**
 * Finds by how many semitones notes lie above equal temperament, -0.5 to 0.5, to a cent: the offset that leaves pitch
 * nearest to semitones with the fewest changes between them, both weighted by confidence and standardised over all
 * offsets.
 *
 * @param midi, weight of the frames in which a note is on.
 */
export function tuningFactor(midi: Float64Array, weight: Float64Array): number {
  if (midi.length < 2) return 0;
  const distances = new Float64Array(OFFSETS.length);
  const changes = new Float64Array(OFFSETS.length);
  for (const [index, offset] of OFFSETS.entries()) {
    let before = Number.NaN;
    for (const [t, pitch] of midi.entries()) {
      const note = nearestSemitone(pitch - offset);
      distances[index] = (distances[index] as number) + (weight[t] as number) * Math.abs(pitch - offset - note);
      if (t && note !== before) changes[index] = (changes[index] as number) + (weight[t - 1] as number);
      before = note;
    }
  }
  const [a, b] = [standardised(distances), standardised(changes)];
  const costs = a.map((cost, i) => cost + (b[i] as number));
  return OFFSETS[costs.indexOf(Math.min(...costs))] as number;
}

/**
 * Draws pitch to the nearest notes: by nothing at amount 0, onto them at amount 1. They are those of the major scale
 * that fits the notes best (of equals the first from C), or all semitones above the tuning.
 */
export function autoTune(
  midi: Float64Array,
  tuning: number,
  noteOn: Uint8Array,
  amount: number,
  chromatic: boolean,
): Float64Array {
  if (chromatic) return midi.map((pitch) => pitch - amount * (pitch - tuning - nearestSemitone(pitch - tuning)));
  const sung = midi.filter((_, t) => noteOn[t]);
  const misfits = SCALES.map((scale) => sung.reduce((sum, pitch) => sum + Math.abs(pitch - nearest(scale, pitch)), 0));
  const scale = SCALES[misfits.indexOf(Math.min(...misfits))] as number[];
  return midi.map((pitch) => pitch - amount * (pitch - nearest(scale, pitch)));
}

function nearest(notes: readonly number[], midi: number): number {
  const found = notes.findIndex((note) => note >= midi);
  const above = Math.max(1, found < 0 ? notes.length - 1 : found);
  const [low, high] = [notes[above - 1] as number, notes[above] as number];
  return midi - low <= high - midi + 2 * TIE ? low : high;
}

function standardised(costs: Float64Array): Float64Array {
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  const deviation = Math.sqrt(costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / costs.length);
  return costs.map((cost) => (deviation > 0 ? (cost - mean) / deviation : 0));
}
