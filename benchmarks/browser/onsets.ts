/** A gated tone, and the onsets of an answer to it. */

const BURSTS = 12;
const ON_SECONDS = 0.5;
const OFF_SECONDS = 0.5;
/** Bursts at the start that do not count: during them the instrument still finds the voice's loudness and octave. */
export const SETTLING = 3;
const LEVEL = 0.25;
const PARTIALS = 12;

export interface Onsets {
  /** s from each burst's first sample to the first of the answer above `first` of what it rises to. */
  readonly seconds: number[];
  /** The same to half (-6 dB) of it. */
  readonly toHalf: number[];
  /** Bursts that were measured. */
  readonly bursts: number;
  /** Bursts without an answer. */
  readonly lost: number;
}

export interface OnsetOptions {
  /** Share of what the answer rises to from which it counts as begun; by default a tenth, -20 dB. */
  readonly first?: number;
  /** Whether a burst may have no answer, as where a busy machine drops sound; by default that is an error. */
  readonly mayLose?: boolean;
}

/** Makes bursts of a tone with partials that fall by 6 dB an octave, each begun at once; [samples]. */
export function bursts(hz: number, rate: number, count = BURSTS): Float32Array<ArrayBuffer> {
  const period = Math.round((ON_SECONDS + OFF_SECONDS) * rate);
  return Float32Array.from({ length: count * period }, (_, i) => {
    const n = i % period;
    if (n >= ON_SECONDS * rate) return 0;
    let value = 0;
    for (let k = 1; k <= PARTIALS; k++) value += Math.sin((2 * Math.PI * k * hz * (n + 1)) / rate) / k;
    return LEVEL * value;
  });
}

/**
 * Measures how long after each burst of `source` its answer begins in `answer`.
 *
 * A burst of `source` with a gap in it, as a busy sound server leaves them, does not count.
 *
 * @throws Error a burst has no answer.
 */
export function onsets(
  source: Float32Array,
  answer: Float32Array,
  rate: number,
  { first = 0.1, mayLose = false }: OnsetOptions = {},
): Onsets {
  const isWhole = (start: number) => {
    const samples = source.subarray(start, start + Math.round(ON_SECONDS * rate));
    return samples.every((value, i) => value !== 0 || samples[i - 1] !== 0) && samples.at(-1) !== 0;
  };
  const starts = beginnings(source, Math.round((OFF_SECONDS / 2) * rate))
    .slice(SETTLING)
    .filter(isWhole);
  const seconds: number[] = [];
  const toHalf: number[] = [];
  for (const start of starts) {
    const burst = answer.subarray(start, start + Math.round((ON_SECONDS + OFF_SECONDS / 2) * rate));
    const level = peak(burst.subarray(Math.round(0.3 * rate), Math.round(ON_SECONDS * rate)));
    const begun = burst.findIndex((value) => Math.abs(value) >= first * level);
    const half = burst.findIndex((value) => Math.abs(value) >= 0.5 * level);
    if (level < 1e-3 && mayLose) continue;
    if (level < 1e-3 || begun < 0) throw new Error(`the burst at ${start / rate} s has no answer`);
    seconds.push(begun / rate);
    toHalf.push(half / rate);
  }
  return { seconds, toHalf, bursts: seconds.length, lost: starts.length - seconds.length };
}

/** Lists the indices at which sound begins after at least so many samples of silence. */
function beginnings(signal: Float32Array, silence: number): number[] {
  const found: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  signal.forEach((value, i) => {
    if (value === 0) return;
    if (i - last > silence) found.push(i);
    last = i;
  });
  return found;
}

function peak(signal: Float32Array): number {
  return signal.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
