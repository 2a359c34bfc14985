import { describe, expect, test } from "vitest";
import { HUM_RATE, hum } from "../../page/sound/hum.ts";
import { decibels, extremes, rms, softLimit } from "../../page/sound/levels.ts";
import { click, metronome } from "../../page/sound/metronome.ts";
import { gated, mixed } from "../../page/sound/mixing.ts";
import { hzOf, midiOf, noteName } from "../../page/sound/pitch.ts";
import { from } from "../../page/sound/recorder.ts";
import { ROUND_SECONDS, tanpura } from "../../page/sound/tanpura.ts";
import { encodeWav, fittingGain } from "../../page/sound/wav.ts";
import { pitchOf, strengthAt } from "./measure_audio.ts";

const peakOf = (audio: Float32Array) => audio.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);

describe("a WAV file", () => {
  const audio = Float32Array.from([0, 0.5, -0.5, 1, -1]);

  test("has a header that fits its samples", () => {
    const bytes = encodeWav(audio, 44_100);
    const view = new DataView(bytes.buffer);
    const ascii = (offset: number) => String.fromCharCode(...bytes.subarray(offset, offset + 4));
    expect([ascii(0), ascii(8), ascii(12), ascii(36)]).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
    expect(view.getUint32(4, true)).toBe(bytes.length - 8);
    expect(view.getUint16(20, true)).toBe(1); // PCM
    expect(view.getUint16(22, true)).toBe(1); // mono
    expect(view.getUint32(24, true)).toBe(44_100);
    expect(view.getUint32(28, true)).toBe(88_200);
    expect(view.getUint16(34, true)).toBe(16);
    expect(view.getUint32(40, true)).toBe(10);
  });

  test("holds the samples, to half a step", () => {
    const view = new DataView(encodeWav(audio, 16_000).buffer, 44);
    audio.forEach((sample, index) => {
      expect(Math.abs(view.getInt16(2 * index, true) / 32_767 - sample)).toBeLessThanOrEqual(0.5 / 32_767);
    });
  });

  test("never clips: what is too loud is turned down as a whole", () => {
    expect(fittingGain(Float32Array.from([0.5, -2]))).toBe(0.5);
    expect(fittingGain(Float32Array.from([0.5, -0.9]))).toBe(1);
    const view = new DataView(encodeWav(Float32Array.from([1, -2]), 16_000).buffer, 44);
    expect([view.getInt16(0, true), view.getInt16(2, true)]).toEqual([16_384, -32_767]);
  });
});

describe("the tanpura", () => {
  const RATE = 24_000;
  const round = tanpura(57, RATE);

  test("is as long as its round, in range, and never silent", () => {
    expect(round.length).toBe(Math.round(ROUND_SECONDS * RATE));
    expect(peakOf(round)).toBeCloseTo(0.5);
    for (let at = 0; at + 2400 < round.length; at += 2400)
      expect(rms(round.subarray(at, at + 2400))).toBeGreaterThan(0.01);
  });

  test("repeats without a seam: the step over its end is no larger than those around it", () => {
    const steps = (from: number) =>
      Array.from({ length: 200 }, (_, i) => Math.abs((round[from + i + 1] ?? 0) - (round[from + i] ?? 0)));
    const seam = Math.abs((round[0] ?? 0) - (round.at(-1) ?? 0));
    expect(seam).toBeLessThanOrEqual(Math.max(...steps(round.length - 202)) * 1.5);
  });

  test("sounds Sa, the Sa below it and the Pa below, and no other note of the scale as much", () => {
    const strength = (semitones: number) => strengthAt(round, hzOf(57 + semitones), RATE);
    for (const sounded of [-12, -5, 0]) {
      for (const other of [-10, -8, -3, -1]) expect(strength(sounded)).toBeGreaterThan(10 * strength(other));
    }
  });

  test("has a jivari: after a pluck the sound grows darker, as its formant sinks", () => {
    const brightness = (from: number) => {
      const part = round.subarray(Math.round(from * RATE), Math.round((from + 0.3) * RATE));
      let differences = 0;
      for (let i = 1; i < part.length; i++) differences += ((part[i] ?? 0) - (part[i - 1] ?? 0)) ** 2;
      return Math.sqrt(differences / part.length) / rms(part);
    };
    const last = 3 * 1.05; // the last string of the round, which then rings alone
    expect(brightness(last + 0.1)).toBeGreaterThan(1.15 * brightness(last + 1.4));
  });

  test("follows the tonic", () => {
    const higher = tanpura(62, RATE);
    expect(strengthAt(higher, hzOf(62), RATE)).toBeGreaterThan(10 * strengthAt(higher, hzOf(61), RATE));
  });
});

describe("the metronome", () => {
  test("clicks on every beat, and higher on the first of a bar", () => {
    const rate = 48_000;
    const audio = metronome(5, 0.5, 4, 0, rate);
    expect(audio.length).toBe(2.5 * rate);
    for (let beat = 0; beat < 5; beat++) {
      const start = beat * 0.5 * rate;
      expect(rms(audio.subarray(start, start + 1000))).toBeGreaterThan(0.05);
      expect(rms(audio.subarray(start + 0.1 * rate, start + 0.5 * rate))).toBe(0);
    }
    expect(audio.subarray(0, 2000)).toEqual(audio.subarray(2 * rate, 2 * rate + 2000));
    expect(pitchOf(click(true, rate), rate)).toBeGreaterThan(1.2 * pitchOf(click(false, rate), rate));
  });
});

describe("the hum", () => {
  const audio = hum();

  test("sings its phrase", () => {
    const sung = (seconds: number) => {
      const at = Math.round(seconds * HUM_RATE);
      return midiOf(pitchOf(audio.subarray(at, at + 4096), HUM_RATE));
    };
    expect(sung(0.5)).toBeCloseTo(57, 0);
    expect(sung(1.4)).toBeCloseTo(61, 0);
    expect(sung(2.3)).toBeCloseTo(64, 0);
    expect(sung(4.6)).toBeCloseTo(57, 0);
  });

  test("is the same every time, in range, between silences", () => {
    expect(hum()).toEqual(audio);
    expect(peakOf(audio)).toBeCloseTo(0.4);
    expect(decibels(rms(audio.subarray(0, 9600)))).toBeLessThan(-55);
    expect(decibels(rms(audio.subarray(-9600)))).toBeLessThan(-55);
  });
});

describe("what is put together", () => {
  const voice = {
    f0Hz: Float32Array.from([220, 220, 220]),
    confidence: Float32Array.from([1, 1, 1]),
    loudnessDb: Float32Array.from([-30, -55, -70, -70]),
    rms: Float32Array.from([0.1, 0.01, 0.001]),
  };
  const moved = {
    f0Hz: Float32Array.from([440, 440, 440]),
    loudnessDb: Float32Array.from([-20, -22, -40]),
    rms: Float32Array.from([0.2, 0.1, 0.05]),
    octaveShift: 1,
    tuningFactor: 0,
    noteOn: Uint8Array.from([1, 1, 0]),
  };

  test("is silent where the voice is below the gate, and else as it was", () => {
    // At 20 frames a second the gate moves within a frame, and holds for one.
    expect(gated(voice, moved, -60, 20)).toEqual({ ...moved, gain: Float32Array.from([1, 1, 1, 0]) });
    expect(moved).not.toHaveProperty("gain");
  });

  test("mixes voice and instrument, the longer of the two to its end", () => {
    const mix = mixed(Float32Array.from([1, 1]), Float32Array.from([0.5, 0.5, 0.5]), 0.25);
    expect(Array.from(mix)).toEqual([0.875, 0.875, 0.125]);
  });

  test("repeats the drone under it, and fades it out at the end", () => {
    const drone = new Float32Array(100).fill(0.3);
    const mix = mixed(new Float32Array(350), new Float32Array(0), 0, drone);
    expect(mix[249]).toBeCloseTo(0.3);
    expect(mix[349]).toBe(0);
    expect(mix[337]).toBeLessThan(mix[330] ?? 0);
  });

  test("a recording is cut to the time at which it counts", () => {
    const recording = { audio: Float32Array.from([1, 2, 3, 4]), sampleRate: 10, start: 5 };
    expect(Array.from(from(recording, 5.2))).toEqual([3, 4]);
    expect(Array.from(from(recording, 4.8))).toEqual([0, 0, 1, 2, 3, 4]);
  });
});

describe("levels and pitches", () => {
  test("decibels have a floor", () => {
    expect(decibels(1)).toBe(0);
    expect(decibels(0.1)).toBeCloseTo(-20);
    expect(decibels(0)).toBe(-80);
    expect(decibels(1e-9)).toBe(-80);
  });

  test("a waveform is drawn from the extremes of each stretch", () => {
    const { low, high } = extremes(Float32Array.from([0.1, -0.2, 0.5, 0.4, -1, 0]), 3);
    expect(Array.from(low)).toEqual([-0.2, 0, -1].map(Math.fround));
    expect(Array.from(high)).toEqual([0.1, 0.5, 0].map(Math.fround));
  });

  test("the limiter leaves quiet sound alone and never exceeds full scale", () => {
    const curve = softLimit();
    const at = (sample: number) => curve[Math.round(((sample + 1) / 2) * (curve.length - 1))] ?? Number.NaN;
    for (const quiet of [-0.75, -0.25, 0, 0.5]) expect(at(quiet)).toBeCloseTo(quiet, 3);
    expect(Math.max(...curve)).toBeLessThan(1);
    expect(Array.from(curve.slice(1)).every((value, index) => value > (curve[index] ?? 0))).toBe(true);
  });

  test("notes have names", () => {
    expect([69, 60, 61, 58].map(noteName)).toEqual(["A4", "C4", "C♯4", "B♭3"]);
    expect(midiOf(hzOf(63.3))).toBeCloseTo(63.3);
    expect(midiOf(0)).toBeNaN();
  });
});
