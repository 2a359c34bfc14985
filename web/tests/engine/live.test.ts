import { describe, expect, test } from "vitest";
import type { Instrument } from "../../engine/src/bundle/load.ts";
import { renderClip } from "../../engine/src/clip/render.ts";
import { rmsOfLoudness } from "../../engine/src/features/adjust.ts";
import { LiveCore, type LiveFrame } from "../../engine/src/live/core.ts";
import { DEFAULT_SETTINGS, type LiveSettings } from "../../engine/src/live/types.ts";
import { NoiseSource } from "../../engine/src/synthesis/noise_source.ts";
import { createKernels } from "../../engine/src/wasm/kernels.ts";
import { random, snrDb } from "./signals.ts";
import { type Recipe, smallInstrument } from "./small_bundle.ts";
import { SPECTRUM_STEP_HZ, spectrumDb } from "./spectra.ts";

const BLOCK = 128;
const STRAIGHT: Partial<LiveSettings> = { automatic: false, gateDb: -200 };

/** A sung line: a gliding tone with vibrato, in phrases with breath between them unless it goes on without end. */
function singing(seconds: number, rate: number, hz = 220, isEndless = false): Float32Array {
  let phase = 0;
  const breath = random(rate, 9);
  return Float32Array.from({ length: seconds * rate }, (_, i) => {
    const t = i / rate;
    phase += (hz * 2 ** (Math.floor(t * 2) / 12 + 0.02 * Math.sin(34 * t))) / rate;
    const level = isEndless || t % 2 < 1.6 ? 0.1 + 0.05 * Math.sin(3 * t) : 0;
    let sum = 0;
    for (let k = 1; k < 12; k++) sum += Math.sin(2 * Math.PI * k * phase) / k;
    return level * sum + 0.0005 * (breath[i % rate] as number);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

interface Take {
  readonly out: Float32Array;
  readonly voice: Float32Array;
  readonly frames: LiveFrame[];
  readonly core: LiveCore;
}

/** Plays a voice live, block by block, and lets it end. `act` is called before each block. */
async function playLive(
  instrument: Instrument,
  rate: number,
  voice: Float32Array | null,
  settings: Partial<LiveSettings>,
  seconds = voice ? voice.length / rate : 1,
  act: (core: LiveCore, seconds: number) => void = () => undefined,
): Promise<Take> {
  const frames: LiveFrame[] = [];
  const { manifest, tensors } = instrument;
  const core = new LiveCore(await createKernels(), manifest, tensors, rate, new NoiseSource(), (frame) =>
    frames.push({ ...frame }),
  );
  core.settings = { ...DEFAULT_SETTINGS, ...settings };
  const blocks = Math.floor((seconds * rate) / BLOCK);
  const out = new Float32Array(blocks * BLOCK);
  const direct = new Float32Array(blocks * BLOCK);
  for (let i = 0; i < blocks; i++) {
    act(core, (i * BLOCK) / rate);
    const part = [i * BLOCK, (i + 1) * BLOCK] as const;
    core.process(voice?.subarray(...part) ?? null, out.subarray(...part), direct.subarray(...part));
  }
  return { out, voice: direct, frames, core };
}

/** Renders the clip of frames that were played live and straight, with the voice's own loudness as the input. */
function clipOf(instrument: Instrument, frames: readonly LiveFrame[], sampleRate?: number): Promise<Float32Array> {
  const f0Hz = Float32Array.from(frames, (frame) => frame.playedHz);
  const loudnessDb = Float32Array.from(frames, (frame) => frame.voiceDb);
  const rms = loudnessDb.map((db) => rmsOfLoudness(db, instrument.manifest.statistics));
  return renderClip(instrument, { f0Hz, loudnessDb, rms }, { reverb: false, ...(sampleRate && { sampleRate }) });
}

const RECIPES: readonly Recipe[] = [
  { architecture: "cnn" },
  { architecture: "gru" },
  { architecture: "gru", hold: 4, bands: 20, spacing: "erb" },
  {
    architecture: "cnn",
    inputs: ["rms"],
    dtype: "uint8",
    hold: 2,
    sampleRate: 32000,
    taps: 0,
    bands: 33,
    spacing: "erb",
  },
  { architecture: "gru", inputs: ["loudness", "rms"], sampleRate: 48000, frameRate: 100 },
  { architecture: "cnn", sampleRate: 48000, bands: 40, spacing: "erb" },
];
for (const recipe of RECIPES) {
  test(`at the bundle's rate live and clip are the same to 80 dB (${JSON.stringify(recipe)})`, async () => {
    const instrument = await smallInstrument({ ...recipe, harmonics: 60 });
    const rate = instrument.manifest.audio.sample_rate;
    // Between phrases the pitch of breath leaps, in silence that a clip's features do not have.
    const { out, frames, core } = await playLive(instrument, rate, singing(3, rate, 220, true), STRAIGHT);
    const clip = await clipOf(instrument, frames);
    const [from, to] = [0.25 * rate, 2.5 * rate]; // the gate is open from the start, but not at once
    const live = out.subarray(core.latencySamples + from, core.latencySamples + to);
    expect(Math.max(...live)).toBeGreaterThan(0.01);
    expect(snrDb(clip.subarray(from, to), live)).toBeGreaterThan(80);
  });
}

for (const rate of [44100, 48000]) {
  test(`at ${rate} Hz live sounds as a clip at the bundle's rate, and nothing sounds above its Nyquist`, async () => {
    const instrument = await smallInstrument({ harmonics: 60 });
    const { out, frames, core } = await playLive(instrument, rate, singing(4, rate), STRAIGHT);
    const clip = await clipOf(instrument, frames);
    const [nyquist, bins] = [8000 / SPECTRUM_STEP_HZ, 640];
    const wanted = spectrumDb(clip, 16000, nyquist);
    const live = spectrumDb(out.subarray(core.latencySamples), rate, bins);
    const differences = [...wanted].map((db, bin) => Math.abs((live[bin] as number) - db));
    expect(mean(differences)).toBeLessThan(1);
    expect(Math.max(...live.subarray(nyquist + 8))).toBeLessThan(Math.max(...live) - 30);
  }, 30_000);
}

test("the queue never runs dry, at any rate, and the latency is at most 20 ms", async () => {
  const instrument = await smallInstrument({ harmonics: 4, bands: 9 });
  for (const rate of [8000, 16000, 22050, 44100, 48000, 96000, 192000]) {
    const { core } = await playLive(instrument, rate, null, {}, 20);
    expect([rate, core.starved]).toEqual([rate, 0]);
    expect(core.latency.total).toBeLessThan(rate < 16000 ? 0.025 : 0.02); // a low rate's filters are longer
  }
  for (const [sampleRate, frameRate, bands] of [
    [16000, 50, 65],
    [16000, 1000, 65],
    [32000, 250, 257],
    [48000, 100, 65],
  ] as const) {
    const other = await smallInstrument({ harmonics: 4, sampleRate, frameRate, bands });
    const { core } = await playLive(other, 44100, null, {}, 20);
    expect([sampleRate, frameRate, core.starved]).toEqual([sampleRate, frameRate, 0]);
    expect(core.latency.total).toBeLessThan(0.05);
  }
}, 30_000);

for (const architecture of ["cnn", "gru"] as const) {
  test(`a voice that holds no numbers for a moment does not silence the instrument for good (${architecture})`, async () => {
    const voice = singing(3, 48000);
    for (const [at, broken] of [Number.NaN, Number.POSITIVE_INFINITY, 1e30].entries()) voice[48000 + 9 * at] = broken;
    const { out, voice: direct } = await playLive(await smallInstrument({ architecture }), 48000, voice, STRAIGHT);
    expect(out.every(Number.isFinite)).toBe(true);
    expect(direct.every((value) => Math.abs(value) < 10)).toBe(true);
    expect(out.subarray(2.2 * 48000).some((value) => value > 0.01)).toBe(true);
  });
}

test("the stated latency is that of the sound", async () => {
  const instrument = await smallInstrument({ taps: 0 });
  const rate = 48000;
  const voice = singing(2, rate)
    .fill(0, 0, rate / 2)
    .fill(0, rate);
  const { out, voice: direct, core } = await playLive(instrument, rate, voice, { ...STRAIGHT, gateDb: -55 });
  const first = (sound: Float32Array, level: number) => sound.findIndex((value) => Math.abs(value) > level) / rate;
  expect(core.latency.total).toBeLessThanOrEqual(0.05);
  expect(first(direct, 0.01) - first(voice, 0.01)).toBeCloseTo(core.latency.total, 3);
  // A gate's frame reaches 16 ms ahead, so that the instrument may start a little before the voice's own first sample.
  const late = first(out, 1e-4) - first(voice, 0.01);
  expect(Math.abs(late - core.latency.total)).toBeLessThan(0.02);
});

/** Notes of a tone with twelve partials, each as long as the gap after it, at pitches of a seeded leaping melody. */
function staccato(lowHz: number, noteSeconds: number, count: number, noise: number) {
  const rate = 16000;
  const [leaps, hiss] = [random(count, 5), random(rate, 3)];
  const list = Array.from({ length: count }, (_, i) => ({
    at: 0.3 + 2 * i * noteSeconds,
    hz: lowHz * 2 ** (Math.round(6 + 6 * (leaps[i] as number)) / 12),
  }));
  const length = Math.ceil((0.5 + 2 * count * noteSeconds) * rate);
  const sound = Float32Array.from({ length }, (_, i) => noise * (hiss[i % rate] as number));
  for (const { at, hz } of list) {
    for (let n = 0; n < noteSeconds * rate; n++) {
      let sum = 0;
      for (let k = 1; k <= 12 && k * hz < rate / 2; k++) sum += Math.sin((2 * Math.PI * k * hz * n) / rate) / k;
      const index = Math.round(at * rate) + n;
      sound[index] = (sound[index] as number) + 0.2 * sum;
    }
  }
  return { list, sound };
}

for (const [lowHz, noise] of [
  [110, 0],
  [220, 0],
  [440, 0],
  [220, 0.09], // 10 dB below the notes
] as const) {
  test(`an onset is breath until its pitch is known, and then right (${lowHz} Hz, noise of ${noise})`, async () => {
    const { list, sound } = staccato(lowHz, 0.12, 40, noise);
    const { frames } = await playLive(await smallInstrument(), 16000, sound, { ...STRAIGHT, gateDb: -45 });
    const isWrong = ({ at, hz }: { at: number; hz: number }) =>
      frames
        .slice(Math.round(250 * at) - 4, Math.round(250 * (at + 0.1)))
        .some(({ playedHz, playedPitch }) => playedPitch > 0 && Math.abs(1200 * Math.log2(playedHz / hz)) > 50);
    const isPitched = ({ at }: { at: number }) =>
      frames
        .slice(Math.round(250 * (at + 0.03)), Math.round(250 * (at + 0.1)))
        .every((frame) => frame.playedPitch > 0.9);
    expect(list.filter(isWrong).length / list.length).toBeLessThanOrEqual(0.05);
    expect(list.filter(isPitched).length / list.length).toBeGreaterThan(0.95);
  });
}

test("a pitch that moves is followed as it was 10 ms ago or less", async () => {
  const rate = 16000;
  let phase = 0;
  const hzAt = (seconds: number) => 220 * 2 ** (0.4 * Math.sin(2 * Math.PI * 2 * seconds)); // up to 5 octaves a second
  const glide = Float32Array.from({ length: 2 * rate }, (_, i) => {
    phase += hzAt(i / rate) / rate;
    return 0.3 * (2 * (phase % 1) - 1);
  });
  const { frames } = await playLive(await smallInstrument(), rate, glide, STRAIGHT);
  const errors = (late: number) =>
    frames.slice(50, 450).map(({ playedHz }, t) => Math.abs(1200 * Math.log2(playedHz / hzAt((t + 50) / 250 - late))));
  const lates = [-0.004, 0, 0.002, 0.004, 0.006, 0.008, 0.01, 0.012, 0.016];
  const best = lates.reduce((least, late) => (mean(errors(late)) < mean(errors(least)) ? late : least));
  expect(best).toBeLessThanOrEqual(0.01);
  expect(mean(errors(best))).toBeLessThan(10);
});

describe("a voice", () => {
  const lastFrames = ({ frames }: Take, seconds = 1) => frames.slice(-250 * seconds);

  test("is moved into the instrument's octave and loudness by itself", async () => {
    const instrument = await smallInstrument(); // pitch 72, within a semitone, notes from -50 to -15 dB
    for (const [hz, octaves] of [
      [100, 2],
      [260, 1],
      [800, -1],
    ] as const) {
      const take = await playLive(instrument, 16000, singing(4, 16000, hz), {});
      expect(take.core.octaveShift).toBe(octaves);
      const playing = lastFrames(take, 2).filter((frame) => frame.playedDb > -60 && frame.confidence > 0.9);
      expect(playing.length).toBeGreaterThan(200);
      for (const { voiceHz, playedHz, playedDb } of playing) {
        expect(playedHz / voiceHz).toBeCloseTo(2 ** take.core.octaveShift, 3);
        expect(playedDb).toBeGreaterThan(-75);
        expect(playedDb).toBeLessThanOrEqual(-15);
      }
    }
  });

  test("that is soft or loud comes out as loud as the instrument", async () => {
    const instrument = await smallInstrument();
    const levels: number[] = [];
    for (const gain of [0.05, 1]) {
      const voice = singing(4, 16000).map((value) => gain * value);
      const take = await playLive(instrument, 16000, voice, { gateDb: -75 });
      const notes = lastFrames(take, 2).filter((frame) => frame.confidence > 0.9);
      levels.push(mean(notes.map((frame) => frame.playedDb)));
    }
    expect(Math.abs((levels[0] as number) - (levels[1] as number))).toBeLessThan(3);
  });

  test("below the gate is silence, and its pitch is kept", async () => {
    const instrument = await smallInstrument({ taps: 0 });
    const voice = singing(3, 16000).map((value, i) => (i < 16000 ? value : 0.001 * value));
    const { out, frames } = await playLive(instrument, 16000, voice, { ...STRAIGHT, gateDb: -40 });
    expect(Math.max(...out.subarray(4000, 16000))).toBeGreaterThan(0.01);
    expect(out.subarray(20000).every((value) => value === 0)).toBe(true);
    expect(frames.at(-1)?.playedDb).toBe(-120);
    expect(frames.at(-1)?.playedHz).toBeGreaterThan(100);
  });

  test("that leaps is silent while the pitch moves, and sounds on where it slides", async () => {
    const instrument = await smallInstrument();
    const octaves = (t: number) => (t < 0.5 ? 0 : t < 1 ? 1.5 : Math.max(0, 1.5 - 10 * (t - 1)));
    let phase = 0;
    const voice = Float32Array.from({ length: 24000 }, (_, i) => {
      phase += (200 * 2 ** octaves(i / 16000)) / 16000;
      return 0.3 * (2 * (phase % 1) - 1);
    });
    const { frames } = await playLive(instrument, 16000, voice, STRAIGHT);
    const semitones = frames.map((frame, t) => 12 * Math.log2(frame.playedHz / (frames[t - 1] ?? frame).playedHz));
    const sounding = frames.map((frame) => frame.playedDb > -120);
    const settled = Math.round(0.1 * 250);
    const leaps = [...semitones.keys()].filter((t) => t > settled && Math.abs(semitones[t] as number) > 7);
    expect(leaps).toHaveLength(1);
    for (const t of leaps) expect(sounding.slice(t - 2, t + 2)).toEqual([true, false, true, true]);
    expect(sounding.slice(settled).filter((one) => !one)).toHaveLength(1);
    expect(Math.min(...semitones.slice(1.1 * 250))).toBeLessThan(-0.3); // the slide
  });

  test("is shifted by hand and drawn to semitones", async () => {
    const instrument = await smallInstrument();
    const settings = { ...STRAIGHT, octaves: 1, loudnessDb: -6, autotune: 1 };
    const take = await playLive(instrument, 16000, singing(2, 16000), settings);
    for (const { voiceHz, playedHz, voiceDb, playedDb, confidence } of lastFrames(take)) {
      if (confidence < 0.9) continue;
      const midi = 69 + 12 * Math.log2(playedHz / 440);
      expect(Math.abs(midi - Math.round(midi))).toBeLessThan(1e-3);
      expect(Math.abs(1200 * Math.log2(playedHz / voiceHz / 2))).toBeLessThan(51);
      expect(playedDb - voiceDb).toBeCloseTo(-6, 3);
    }
  });
});

describe("keys", () => {
  const play = async (settings: Partial<LiveSettings>, act: (core: LiveCore, seconds: number) => void, seconds = 1) =>
    playLive(await smallInstrument({ taps: 0 }), 48000, null, { vibratoCents: 0, ...settings }, seconds, act);

  /** Calls each action once, when its time has come. */
  const score = (...actions: [number, (core: LiveCore) => void][]) => {
    const left = [...actions];
    return (core: LiveCore, seconds: number) => {
      while (left[0] && seconds >= left[0][0]) left.shift()?.[1](core);
    };
  };
  const press =
    (midi: number, velocity = 0.8) =>
    (core: LiveCore) =>
      core.keys.noteOn(midi, velocity, core.settings);
  const lift = (midi: number) => (core: LiveCore) => core.keys.noteOff(midi, core.settings);

  test("a key sounds its pitch at its velocity's loudness, at once, and ends in silence", async () => {
    const { out, frames } = await play({}, score([0.1, press(69, 0.5)], [0.6, lift(69)]), 1.2);
    const held = frames.slice(60, 130);
    expect(held.every((frame) => Math.abs(frame.playedHz - 440) < 1e-3)).toBe(true);
    expect(held.at(-1)?.playedDb).toBeCloseTo(-50 + 0.5 * 35, 1); // the quantiles of the small bundle
    expect(out.subarray(0, 4800).every((value) => value === 0)).toBe(true);
    const start = out.findIndex((value) => Math.abs(value) > 1e-4) / 48000;
    expect(start).toBeLessThan(0.115); // a frame, a block and the attack
    expect(Math.max(...out.subarray(15000, 25000))).toBeGreaterThan(0.01);
    expect(out.subarray(48000).every((value) => value === 0)).toBe(true);
  });

  test("a tied key glides, and lifting it goes back to the one that is still down", async () => {
    const { frames } = await play({ glideSeconds: 0.2 }, score([0, press(60)], [0.2, press(72)], [0.6, lift(72)]), 1);
    const midi = frames.map((frame) => 69 + 12 * Math.log2(frame.playedHz / 440));
    const rising = midi.filter((value) => value > 60.01 && value < 71.99).length;
    expect(rising).toBeGreaterThan(80); // up and down, 50 frames each
    expect(rising).toBeLessThan(102);
    expect(Math.max(...midi)).toBeCloseTo(72, 3);
    expect(midi.at(-1)).toBeCloseTo(60, 3);
  });

  test("bend, octave and vibrato move the pitch", async () => {
    const bent = await play({ octaves: -1 }, score([0, press(69)], [0, (core) => core.keys.bend(2)]), 0.5);
    expect(bent.frames.at(-1)?.playedHz).toBeCloseTo(220 * 2 ** (2 / 12), 2);
    const { frames } = await play({ vibratoCents: 50, vibratoHz: 5 }, score([0, press(69)]), 2);
    const cents = frames.slice(-250).map((frame) => 1200 * Math.log2(frame.playedHz / 440));
    expect(Math.max(...cents)).toBeCloseTo(50, 0);
    expect(Math.min(...cents)).toBeCloseTo(-50, 0);
  });

  test("attack and release last as long as they are set to", async () => {
    const slow = { attackSeconds: 0.4, releaseSeconds: 0.4 };
    const { frames } = await play(slow, score([0, press(69)], [0.6, lift(69)]), 1.2);
    const sounding = frames.map((frame) => frame.playedDb > -100);
    const rising = frames.findIndex((frame) => frame.playedDb > -50 + 0.8 * 35 - 0.1);
    expect(rising / 250).toBeGreaterThan(0.3);
    expect((sounding.lastIndexOf(true) - 0.6 * 250) / 250).toBeCloseTo(0.4, 1);
  });

  test("what they hold is held, and bent as it was, by the keys of an instrument that takes over", async () => {
    const { core } = await play({}, score([0, press(60)], [0, press(64)], [0, (one) => one.keys.bend(1)]), 0.1);
    const taken = (other: LiveCore) => other.keys.takeOver(core.keys);
    const after = await play({ glideSeconds: 0 }, score([0, taken], [0.3, lift(64)], [0.6, lift(60)]), 1);
    const midi = after.frames.map((frame) => 69 + 12 * Math.log2(frame.playedHz / 440));
    expect(midi[50]).toBeCloseTo(65, 3);
    expect(midi[140]).toBeCloseTo(61, 3);
    expect(after.frames[50]?.playedDb).toBeCloseTo(-50 + 0.8 * 35, 1);
    expect(after.frames.at(-1)?.playedDb).toBe(-120);
  });

  test("play over a voice when they are chosen", async () => {
    const instrument = await smallInstrument();
    const act = score([0, press(81)]);
    const { frames } = await playLive(
      instrument,
      16000,
      singing(1, 16000),
      { source: "keys", vibratoCents: 0 },
      1,
      act,
    );
    expect(frames.at(-1)?.playedHz).toBeCloseTo(880, 2);
    expect(frames.at(-1)?.voiceHz).toBeLessThan(300);
  });
});
