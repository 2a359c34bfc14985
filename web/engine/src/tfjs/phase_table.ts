/**
 * The phase of f0, frame by frame, in numbers that survive float16 textures.
 *
 * A phase is never stored as one float16 number: that is right to 1/2048 of a cycle at best, and a sixtieth harmonic
 * multiplies the error by sixty. Every value is kept as a pair instead: `hi` has at most 11 significant bits, so that
 * a float16 holds it exactly and a float32 product of it with a sample's index is exact; `lo` is what is left.
 */

/** Columns of the table; also the order of the texels that the shader reads, two columns at a time. */
export const PHASE_COLUMNS = 8;

/** Phases are split at 1/1024 of a cycle, and steps counted in such parts, so that float16 has their range. */
export const PARTS_PER_CYCLE = 1024;

/** 2^42 + 1: a float64 times it, less the product less itself, keeps its upper 11 bits (Dekker 1971, Veltkamp). */
const SPLITTER = 2 ** 42 + 1;

/** Rounds to 11 significant bits. */
export function upperBits(value: number): number {
  const shifted = value * SPLITTER;
  return shifted - (shifted - value);
}

/**
 * Computes what the closed form of the phase needs of each frame.
 *
 * Within a frame f0 is linear, so that n samples into it the phase is `before + (n + 1) step + n (n + 1) / (2 hop)
 * slope` (models/ddsp/oscillator.py); only `before` needs a sum over frames, which is taken here in float64.
 *
 * @param f0Hz one value a frame, Hz; the last one is held.
 * @param hop samples a frame.
 * @param sampleRate Hz.
 * @returns row-major [frames, 8], each value as hi and lo: the phase before the frame's first sample (hi in cycles, a
 *   multiple of 1/1024; lo in 1024ths of a cycle), f0 (Hz), its step (1024ths of a cycle a sample) and its slope (Hz a
 *   frame).
 */
export function phaseTable(f0Hz: Float32Array, hop: number, sampleRate: number): Float32Array {
  const table = new Float32Array(f0Hz.length * PHASE_COLUMNS);
  let before = 0;
  for (let frame = 0; frame < f0Hz.length; frame++) {
    const hz = f0Hz[frame] ?? 0;
    const slopeHz = (f0Hz[frame + 1] ?? hz) - hz;
    const parts = Math.floor(before * PARTS_PER_CYCLE);
    const row = [parts / PARTS_PER_CYCLE, before * PARTS_PER_CYCLE - parts];
    for (const value of [hz, (hz / sampleRate) * PARTS_PER_CYCLE, Math.fround(slopeHz)]) {
      const hi = upperBits(value);
      row.push(hi, value - hi);
    }
    table.set(row, frame * PHASE_COLUMNS);
    before += (hop * hz + 0.5 * (hop - 1) * slopeHz) / sampleRate;
    before -= Math.floor(before);
  }
  return table;
}
