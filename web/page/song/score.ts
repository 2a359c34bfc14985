/** A song to sing along to: reads `songs/song.schema.json`, and times its notes. */

export interface ScoreNote {
  /** Above the tonic; null: a rest. */
  readonly semitones: number | null;
  /** Length in beats. */
  readonly beats: number;
  /** Syllable that is sung on it; none: the syllable before it goes on. */
  readonly syllable?: string;
}

export interface Score {
  readonly format: "swara-song";
  readonly format_version: 1;
  readonly title: string;
  /** Where tune and words are from, and why they are free. */
  readonly origin: string;
  /** Beats a minute. */
  readonly tempo: number;
  readonly beats_per_bar: number;
  /** Beats before the first bar line. */
  readonly upbeat: number;
  /** MIDI number of the tonic. */
  readonly tonic: number;
  readonly notes: readonly ScoreNote[];
}

/** A note in time. */
export interface TimedNote {
  /** Seconds from the first beat of the song. */
  readonly start: number;
  readonly end: number;
  /** MIDI number. */
  readonly midi: number;
  readonly syllable: string;
}

/**
 * Reads a score.
 *
 * @throws Error that names the first field which is wrong.
 */
export function parseScore(json: unknown): Score {
  const score = record(json, "the song");
  if (score.format !== "swara-song") throw new Error("the song's format is not swara-song");
  if (score.format_version !== 1) {
    throw new Error(`the song's format_version is ${String(score.format_version)}; this page reads 1`);
  }
  const notes = score.notes;
  if (!Array.isArray(notes) || notes.length === 0) throw new Error("notes: there must be at least one");
  const beatsPerBar = number(score.beats_per_bar, "beats_per_bar", 1, 16);
  const read: Score = {
    format: "swara-song",
    format_version: 1,
    title: text(score.title, "title"),
    origin: text(score.origin, "origin"),
    tempo: number(score.tempo, "tempo", 20, 300),
    beats_per_bar: beatsPerBar,
    upbeat: number(score.upbeat ?? 0, "upbeat", 0, beatsPerBar),
    tonic: number(score.tonic, "tonic", 36, 84),
    notes: notes.map((note, index) => parseNote(note, `notes/${index}`)),
  };
  if (read.notes.every((note) => note.semitones === null)) throw new Error("notes: all of them are rests");
  return read;
}

function parseNote(json: unknown, where: string): ScoreNote {
  const note = record(json, where);
  const { semitones, beats, syllable } = note;
  const pitch = semitones === null ? null : number(semitones, `${where}/semitones`, -24, 24);
  if (pitch !== null && !Number.isInteger(pitch)) throw new Error(`${where}/semitones: ${pitch} is not whole`);
  const length = number(beats, `${where}/beats`, 1 / 16, 64);
  return syllable === undefined
    ? { semitones: pitch, beats: length }
    : { semitones: pitch, beats: length, syllable: text(syllable, `${where}/syllable`) };
}

function record(json: unknown, where: string): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error(`${where} is not an object`);
  return json as Record<string, unknown>;
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") throw new Error(`${where} must be a text`);
  return value;
}

function number(value: unknown, where: string, low: number, high: number): number {
  if (typeof value !== "number" || !(value >= low && value <= high)) {
    throw new Error(`${where} must be a number from ${low} to ${high}`);
  }
  return value;
}

/** Computes the seconds of a beat. */
export function beatSeconds(score: Score): number {
  return 60 / score.tempo;
}

/** Counts the beats before the first note: a whole bar, and what the upbeat leaves of the next. */
export function countInBeats(score: Score): number {
  return score.beats_per_bar + (score.upbeat > 0 ? score.beats_per_bar - score.upbeat : 0);
}

/** Lists the notes in time, rests left out, with the tonic at a MIDI number of the singer's choice. */
export function timeline(score: Score, tonic: number = score.tonic): TimedNote[] {
  const beat = beatSeconds(score);
  const timed: TimedNote[] = [];
  let at = 0;
  for (const note of score.notes) {
    const end = at + note.beats;
    if (note.semitones !== null) {
      timed.push({ start: at * beat, end: end * beat, midi: tonic + note.semitones, syllable: note.syllable ?? "" });
    }
    at = end;
  }
  return timed;
}

/** Computes the seconds from the first note to the end of the last. */
export function duration(score: Score): number {
  return score.notes.reduce((beats, note) => beats + note.beats, 0) * beatSeconds(score);
}

/** Finds the note that is due at a time, or null in a rest, before the song and after it. Notes come in order. */
export function noteAt(notes: readonly TimedNote[], seconds: number): TimedNote | null {
  let low = 0;
  let high = notes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((notes[middle]?.end ?? 0) > seconds) high = middle;
    else low = middle + 1;
  }
  const note = notes[low];
  return note !== undefined && note.start <= seconds ? note : null;
}

const SARGAM = ["Sa", "re", "Re", "ga", "Ga", "Ma", "ma", "Pa", "dha", "Dha", "ni", "Ni"];

/**
 * Names the swara of a MIDI number above a tonic: capitals for the full notes, small letters for the flat ones (ma:
 * sharp).
 */
export function swara(midi: number, tonic: number): string {
  return SARGAM[(((Math.round(midi) - tonic) % 12) + 12) % 12] ?? "";
}
