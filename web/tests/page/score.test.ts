import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { judge } from "../../page/song/judge.ts";
import { beatSeconds, countInBeats, duration, noteAt, parseScore, swara, timeline } from "../../page/song/score.ts";
import { SONGS } from "../../page/song/songs.ts";

const SCORE = {
  format: "swara-song",
  format_version: 1,
  title: "Test",
  origin: "nowhere",
  tempo: 120,
  beats_per_bar: 3,
  upbeat: 1,
  tonic: 60,
  notes: [
    { semitones: -5, beats: 1, syllable: "a" },
    { semitones: null, beats: 1 },
    { semitones: 0, beats: 2, syllable: "b" },
    { semitones: 4, beats: 0.5 },
  ],
};

describe("a score", () => {
  test("becomes notes in time, rests left out, at the singer's tonic", () => {
    expect(timeline(parseScore(SCORE), 62)).toEqual([
      { start: 0, end: 0.5, midi: 57, syllable: "a" },
      { start: 1, end: 2, midi: 62, syllable: "b" },
      { start: 2, end: 2.25, midi: 66, syllable: "" },
    ]);
    expect(duration(parseScore(SCORE))).toBe(2.25);
    expect(beatSeconds(parseScore(SCORE))).toBe(0.5);
  });

  test("is counted in for a bar and what the upbeat leaves of the next", () => {
    expect(countInBeats(parseScore(SCORE))).toBe(5);
    expect(countInBeats(parseScore({ ...SCORE, upbeat: 0 }))).toBe(3);
  });

  test("finds the note that is due", () => {
    const notes = timeline(parseScore(SCORE));
    expect(noteAt(notes, 0.25)?.syllable).toBe("a");
    expect(noteAt(notes, 0.75)).toBeNull(); // the rest
    expect(noteAt(notes, 1)?.syllable).toBe("b");
    expect(noteAt(notes, 2.25)).toBeNull();
    expect(noteAt(notes, -1)).toBeNull();
  });

  test.each([
    [{ format: "other" }, /format/],
    [{ format_version: 2 }, /format_version is 2/],
    [{ tempo: 0 }, /tempo must be a number from 20 to 300/],
    [{ tonic: "C" }, /tonic/],
    [{ upbeat: 4 }, /upbeat/],
    [{ notes: [] }, /notes/],
    [{ notes: [{ semitones: null, beats: 1 }] }, /all of them are rests/],
    [{ notes: [{ semitones: 0.5, beats: 1 }] }, /notes\/0\/semitones/],
    [
      {
        notes: [
          { semitones: 0, beats: 1 },
          { semitones: 0, beats: 0 },
        ],
      },
      /notes\/1\/beats/,
    ],
    [{ notes: [{ semitones: 0, beats: 1, syllable: "" }] }, /notes\/0\/syllable/],
    [{ title: undefined }, /title/],
  ])("that is wrong is refused with the name of the field: %j", (change, message) => {
    expect(() => parseScore({ ...SCORE, ...change })).toThrow(message);
  });

  test("names swaras from the tonic", () => {
    expect([60, 62, 64, 65, 67, 69, 71, 72, 58].map((midi) => swara(midi, 60))).toEqual(
      ["Sa", "Re", "Ga", "Ma", "Pa", "Dha", "Ni", "Sa", "ni"], //
    );
  });
});

describe("the songs of the page", () => {
  test("are all in the list, with where they are from", () => {
    const folder = new URL("../../page/songs/", import.meta.url);
    const files = readdirSync(folder).filter((name) => name !== "song.schema.json");
    const titles = files.map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")).title);
    expect(SONGS.map((song) => song.title).sort()).toEqual(titles.sort());
    for (const song of SONGS) expect(song.origin).toMatch(/public domain/);
  });

  test.each(SONGS.map((song) => [song.title, song] as const))("%s ends on its tonic and fills its bars", (_, song) => {
    const beats = song.notes.reduce((sum, note) => sum + note.beats, 0);
    expect(song.notes.at(-1)?.semitones).toBe(0);
    expect((beats - song.upbeat) % song.beats_per_bar).toBe((song.beats_per_bar - song.upbeat) % song.beats_per_bar);
    expect(song.notes[0]?.syllable).toBeDefined();
  });

  test("are the known songs: the first notes of each", () => {
    const first = Object.fromEntries(SONGS.map((song) => [song.title, song.notes.slice(0, 8).map((n) => n.semitones)]));
    expect(first).toEqual({
      "Alankar in Bilaval": [0, 2, 4, 2, 4, 5, 4, 5],
      "Amazing Grace": [-5, 0, 4, 0, 4, 2, 0, -3],
      "Frère Jacques": [0, 2, 4, 0, 0, 2, 4, 0],
    });
  });
});

describe("singing is judged", () => {
  const notes = timeline(parseScore(SCORE)); // 55 until 0.5 s, rest, 60 until 2 s, 64 until 2.25 s
  const at = (midi: (seconds: number) => number) =>
    Array.from({ length: 250 }, (_, index) => ({ at: index / 100, midi: midi(index / 100) }));

  test("in any octave", () => {
    const made = judge(
      at((seconds) => (noteAt(notes, seconds)?.midi ?? 70) - 12),
      notes,
    );
    expect(made.inTune).toBe(1);
    expect(made.cents).toBeCloseTo(0);
  });

  test("by how far it is off, with its sign", () => {
    const flat = judge(
      at((seconds) => (noteAt(notes, seconds)?.midi ?? 0) - 0.3),
      notes,
    );
    expect(flat.cents).toBeCloseTo(-30);
    expect(flat.inTune).toBe(1);
    const wrong = judge(
      at((seconds) => (noteAt(notes, seconds)?.midi ?? 0) + 1),
      notes,
    );
    expect(wrong.inTune).toBe(0);
  });

  test("not at all where nothing was sung in a note", () => {
    expect(
      judge(
        at(() => Number.NaN),
        notes,
      ).inTune,
    ).toBeNaN();
    expect(judge([{ at: 0.75, midi: 60 }], notes).cents).toBeNaN(); // only in the rest
  });
});
