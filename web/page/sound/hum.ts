/** A hummed phrase, for players without a microphone at hand. It is computed: nobody was recorded for it. */

import { normalise } from "./oscillator.ts";
import { hzOf } from "./pitch.ts";

export const HUM_RATE = 48_000;

/** MIDI number and seconds of every note: a phrase of five notes and its answer. */
const PHRASE: readonly (readonly [number, number])[] = [
  [57, 0.5],
  [59, 0.35],
  [61, 0.7],
  [64, 0.9],
  [62, 0.35],
  [61, 0.5],
  [59, 0.35],
  [57, 1.2],
];
const SILENCE_SECONDS = 0.3;
const GLIDE_SECONDS = 0.05;
const CLOSED_MOUTH = [
  { hz: 260, width: 130, gain: 1 },
  { hz: 1100, width: 200, gain: 0.12 },
  { hz: 2300, width: 300, gain: 0.05 },
];

/** Computes the phrase at 48 kHz, [samples], its peak 0.4. */
export function hum(): Float32Array<ArrayBuffer> {
  const sung = PHRASE.reduce((seconds, note) => seconds + note[1], 0);
  const audio = new Float32Array(Math.round((sung + 2 * SILENCE_SECONDS) * HUM_RATE));
  const pitch = pitchCurve(Math.round(sung * HUM_RATE));
  const offset = Math.round(SILENCE_SECONDS * HUM_RATE);
  let phase = 0;
  pitch.forEach((hz, sample) => {
    phase = (phase + hz / HUM_RATE) % 1;
    audio[offset + sample] = voiced(phase, hz) * breath(sample / HUM_RATE, sung);
  });
  addBreathNoise(audio);
  return normalise(audio, 0.4) as Float32Array<ArrayBuffer>;
}

/** Computes Hz, [samples]: notes that glide into each other, with a vibrato that sets in late. */
function pitchCurve(samples: number): Float32Array {
  const curve = new Float32Array(samples);
  let midi = PHRASE[0]?.[0] ?? 57;
  let note = 0;
  let left = (PHRASE[0]?.[1] ?? 0) * HUM_RATE;
  let held = 0;
  const glide = 1 - Math.exp(-1 / (GLIDE_SECONDS * HUM_RATE));
  for (let sample = 0; sample < samples; sample++) {
    if (left <= 0 && note + 1 < PHRASE.length) {
      note++;
      left += (PHRASE[note]?.[1] ?? 0) * HUM_RATE;
      held = 0;
    }
    midi += ((PHRASE[note]?.[0] ?? midi) - midi) * glide;
    const seconds = held / HUM_RATE;
    const depth = 0.25 * Math.min(1, Math.max(0, seconds - 0.2) / 0.3);
    curve[sample] = hzOf(midi + depth * Math.sin(2 * Math.PI * 5.3 * seconds));
    left--;
    held++;
  }
  return curve;
}

/** Computes a sample of a hum: harmonics under the formants of a closed mouth. */
function voiced(phase: number, hz: number): number {
  let sample = 0;
  for (let harmonic = 1; harmonic * hz < 3500; harmonic++) {
    const source = 1 / harmonic ** 1.2;
    const mouth = CLOSED_MOUTH.reduce(
      (sum, formant) => sum + formant.gain / (1 + ((harmonic * hz - formant.hz) / formant.width) ** 2),
      0,
    );
    sample += source * mouth * Math.sin(2 * Math.PI * harmonic * phase);
  }
  return sample;
}

/** Computes the loudness of the phrase: it swells to its highest note and dies away. */
function breath(seconds: number, sung: number): number {
  const ends = Math.min(1, seconds / 0.06, (sung - seconds) / 0.25);
  return Math.max(0, ends) * (0.55 + 0.45 * Math.sin((Math.PI * seconds) / sung) ** 2);
}

/** Adds a trace of noise, the same every time, as of a room and a breath. */
function addBreathNoise(audio: Float32Array): void {
  let state = 1;
  for (let index = 0; index < audio.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    audio[index] = (audio[index] ?? 0) + 0.0004 * (state / 2 ** 31 - 1);
  }
}
