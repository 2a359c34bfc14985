/**
 * A tanpura: the drone under Indian music, four strings plucked one after the other, for ever.
 *
 * Its buzz, the jivari, is made by a bridge that the string grazes: it feeds energy into ever lower harmonics, so that
 * a bright formant sinks through the spectrum while the string rings (van Walstijn, Bridges and Mehes 2016 measured
 * it). Here every harmonic swells as that formant passes it and then dies away.
 */

import { addSinusoid, normalise } from "./oscillator.ts";
import { hzOf } from "./pitch.ts";

/** Seconds from one string to the next, and of silence before the round begins again. */
const STEP_SECONDS = 1.05;
const PAUSE_SECONDS = 0.9;
/** Semitones above the tonic: Pa below, Sa, Sa, and Sa an octave lower. */
const STRINGS = [-5, 0, 0, -12];
/** Hz, highest partial: the formant leaves little above it. */
const HIGHEST = 5000;
const PEAK = 0.5;
/** Seconds after which a string is over. */
const RING_SECONDS = 7;

/** Seconds of one round. */
export const ROUND_SECONDS = STRINGS.length * STEP_SECONDS + PAUSE_SECONDS;

/**
 * Computes a round of the drone. It repeats without a seam: what still rings at its end rings on at its beginning.
 *
 * @param tonic MIDI number of Sa.
 * @param sampleRate Hz.
 * @returns [samples], its peak 0.5.
 */
export function tanpura(tonic: number, sampleRate: number): Float32Array<ArrayBuffer> {
  const ring = new Float32Array(Math.round(ROUND_SECONDS * sampleRate));
  STRINGS.forEach((semitones, index) => {
    addString(ring, Math.round(index * STEP_SECONDS * sampleRate), hzOf(tonic + semitones), sampleRate);
  });
  normalise(ring, PEAK);
  return ring;
}

function addString(ring: Float32Array, offset: number, hz: number, sampleRate: number): void {
  const samples = Math.round(RING_SECONDS * sampleRate);
  const harmonics = Math.floor(Math.min(HIGHEST, sampleRate / 2) / hz);
  for (let harmonic = 1; harmonic <= harmonics; harmonic++) {
    const envelope = stringEnvelope(harmonic, hz);
    // Strings that beat slowly against each other are what makes a tanpura shimmer.
    const cycles = (harmonic * hz * (1 + 0.0002 * Math.sin(7 * harmonic + offset))) / sampleRate;
    let level = 0;
    addSinusoid(ring, offset, samples, cycles, (sample) => {
      if (sample % ENVELOPE_STEP === 0) level = envelope(sample / sampleRate) * fade(sample, samples);
      return level * Math.min(1, sample / (0.004 * sampleRate));
    });
  }
}

const ENVELOPE_STEP = 32;

/** Brings a string to silence at its very end. */
function fade(sample: number, samples: number): number {
  const left = 1 - sample / samples;
  return left < 0.2 ? left / 0.2 : 1;
}

/** Computes the amplitude of a harmonic at a time in seconds after the pluck. */
function stringEnvelope(harmonic: number, hz: number): (seconds: number) => number {
  const body = 1 / harmonic ** 1.3;
  const decay = 0.35 + 0.05 * (hz / 100) + 0.06 * harmonic; // per second
  const frequency = harmonic * hz;
  return (seconds) => {
    const formant = 500 + 3000 * Math.exp(-seconds / 1.1); // Hz
    const octaves = Math.log2(frequency / formant);
    const buzz = 0.55 * Math.exp(-0.5 * (octaves / 0.38) ** 2) * (1 - Math.exp(-seconds / 0.03));
    return (body + buzz / Math.sqrt(harmonic)) * Math.exp(-decay * seconds);
  };
}
