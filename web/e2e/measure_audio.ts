/** Measures recorded audio: level, pitch, and how one pitch follows another. */

import { midiOf } from "../page/sound/pitch.ts";
import { pitchOf } from "../tests/page/measure_audio.ts";

const TRACK_RATE = 16_000; // Hz, plenty for a pitch, and quick
const WINDOW_SECONDS = 0.06;
const STEP_SECONDS = 0.02;

/** Tracks the pitch: MIDI numbers, one every 20 ms; NaN where it is quiet or has no pitch. */
export function pitchTrack(sound: Float32Array, soundRate: number, quietest = 0.01): number[] {
  const step = Math.max(1, Math.floor(soundRate / TRACK_RATE));
  const audio = thinned(sound, step);
  const rate = soundRate / step;
  const window = Math.round(WINDOW_SECONDS * rate);
  const track: number[] = [];
  for (let at = 0; at + window <= audio.length; at += Math.round(STEP_SECONDS * rate)) {
    const part = audio.subarray(at, at + window);
    track.push(level(part) > quietest ? midiOf(pitchOf(part, rate)) : Number.NaN);
  }
  return track;
}

/** Averages every `step` samples into one. */
function thinned(audio: Float32Array, step: number): Float32Array {
  return Float32Array.from({ length: Math.floor(audio.length / step) }, (_, index) => {
    let sum = 0;
    for (let at = index * step; at < (index + 1) * step; at++) sum += audio[at] ?? 0;
    return sum / step;
  });
}

/** Computes the root mean square. */
export function level(audio: Float32Array): number {
  return Math.sqrt(audio.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, audio.length));
}

/** Finds the delay in s at which two pitch tracks agree best, and the median distance in cents there. */
export function following(leader: readonly number[], follower: readonly number[]) {
  const runs = Array.from({ length: 16 }, (_, lag) => {
    const cents: number[] = [];
    leader.forEach((midi, index) => {
      const answer = follower[index + lag];
      if (!Number.isFinite(midi) || answer === undefined || !Number.isFinite(answer)) return;
      const semitones = answer - midi;
      cents.push(100 * Math.abs(semitones - 12 * Math.round(semitones / 12)));
    });
    cents.sort((a, b) => a - b);
    return { seconds: lag * STEP_SECONDS, cents: cents[cents.length >> 1] ?? Number.NaN, frames: cents.length };
  });
  return runs.reduce((best, run) => (run.cents < best.cents ? run : best));
}
