/** A song as a singer would sing it: silent through the count-in, then every note in time. */

import { beatSeconds, countInBeats, duration, timeline } from "../page/song/score.ts";
import { SONGS } from "../page/song/songs.ts";
import { HUM_RATE } from "../page/sound/hum.ts";
import { hzOf } from "../page/sound/pitch.ts";

export const SONG = SONGS.find((song) => song.title === "Frère Jacques") ?? SONGS[0];

/** s from the opening of the microphone to the first beat that the page counts, but for what opening it takes. */
const LEAD_SECONDS = 0.3;

/** Computes the song, an octave below its tonic, at `HUM_RATE`. */
export function sungSong(): Float32Array {
  const before = LEAD_SECONDS + countInBeats(SONG) * beatSeconds(SONG);
  const audio = new Float32Array(Math.round((before + duration(SONG) + 0.5) * HUM_RATE));
  for (const note of timeline(SONG, SONG.tonic - 12)) {
    const start = Math.round((before + note.start) * HUM_RATE);
    const samples = Math.round((note.end - note.start - 0.04) * HUM_RATE);
    for (let sample = 0; sample < samples; sample++) {
      const seconds = sample / HUM_RATE;
      const ends = Math.min(1, seconds / 0.03, (samples - sample) / HUM_RATE / 0.05);
      audio[start + sample] = 0.2 * ends * voiced(hzOf(note.midi) * seconds);
    }
  }
  return audio;
}

/** @param cycles since the note began. */
function voiced(cycles: number): number {
  let sum = 0;
  for (let harmonic = 1; harmonic <= 12; harmonic++) sum += Math.sin(2 * Math.PI * harmonic * cycles) / harmonic;
  return sum;
}
