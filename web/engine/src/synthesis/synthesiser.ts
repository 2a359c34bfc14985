/** The synthesiser on the kernels: controls in, frame by frame, dry sound out at any rate. */

import type { Manifest } from "../bundle/manifest.ts";
import { Block, type KernelExports } from "../wasm/kernels.ts";
import { describeChain } from "./chain.ts";
import { FrameClock } from "./clock.ts";
import { framesLate } from "./filter_design.ts";
import { HarmonicVoice } from "./harmonic_voice.ts";
import type { Noise } from "./noise_source.ts";
import { NoiseVoice } from "./noise_voice.ts";
import { ratesOf } from "./rates.ts";
import { SampleQueue } from "./sample_queue.ts";

export class Synthesiser {
  /** Pushes before the first sound: a harmonic's sample lies between two frames, and noise waits for its filter. */
  readonly frames: number;
  /** Output of `push`: as many samples as it returned. */
  readonly output: Float32Array;
  readonly #harmonics: readonly HarmonicVoice[];
  readonly #noises: readonly NoiseVoice[];
  readonly #noise: Float32Array;
  readonly #source: Noise;
  readonly #sum: Block;
  readonly #harmonicQueue: SampleQueue;
  /** Noise is made for the way from the newest frame on, harmonics for the way to it, output for `frames` before. */
  readonly #noiseClock: FrameClock;
  readonly #harmonicClock: FrameClock;
  readonly #outputClock: FrameClock;
  #pushed = 0;

  /**
   * @param rate Hz, of the output.
   * @param controls block with a frame's controls whenever `push` is called, in the order of the network's outputs.
   * @param source of the noise.
   */
  constructor(kernels: KernelExports, manifest: Manifest, rate: number, controls: Block, source: Noise) {
    const chain = describeChain(manifest);
    const index = outputIndices(manifest);
    const rates = ratesOf(manifest, rate);
    const { frameRate, longest } = rates;
    const { hop } = manifest.audio;
    this.frames = Math.max(1, ...chain.noises.map((part) => framesLate(part, hop)));
    const capacity = (this.frames + 2) * longest;
    this.#harmonics = chain.harmonics.map((part) => {
      const indices = { amplitude: index(part.amplitude), distribution: index(part.distribution) };
      return new HarmonicVoice(kernels, part, controls, indices, rates);
    });
    this.#noises = chain.noises.map(
      (part) => new NoiseVoice(kernels, part, controls.address(index(part.magnitudes)), rates, capacity),
    );
    this.#noise = new Float32Array(longest);
    this.#source = source;
    this.#sum = new Block(kernels, longest + 8);
    this.#harmonicQueue = new SampleQueue(capacity);
    this.#noiseClock = new FrameClock(rate, frameRate);
    this.#harmonicClock = new FrameClock(rate, frameRate);
    this.#outputClock = new FrameClock(rate, frameRate);
    this.output = new Float32Array(longest);
  }

  /**
   * Takes the frame whose controls lie ready. The first sample that comes out is that of the first frame.
   *
   * @param f0Hz of the frame, Hz.
   * @param gain of the frame's amplitudes: 0 is silence. @param pitchedGain the same of its harmonics.
   * @returns samples in `output`; none before `frames` pushes.
   */
  push(f0Hz: number, gain: number, pitchedGain = gain): number {
    if (this.#noises.length) this.#pushNoise(gain);
    this.#pushHarmonics(f0Hz, pitchedGain);
    if (this.#pushed++ < this.frames) return 0;
    const { count } = this.#outputClock;
    this.output.fill(0);
    this.#harmonicQueue.addTo(this.output, count);
    for (const voice of this.#noises) voice.queue.addTo(this.output, count);
    this.#outputClock.advance();
    return count;
  }

  #pushNoise(gain: number): void {
    const { count } = this.#noiseClock;
    this.#source.fill(this.#noise, count);
    for (const voice of this.#noises) voice.push(gain, this.#noise, count);
    this.#noiseClock.advance();
  }

  #pushHarmonics(f0Hz: number, gain: number): void {
    const { count, position } = this.#harmonicClock;
    this.#sum.values.fill(0);
    for (const voice of this.#harmonics) voice.push(f0Hz, gain, this.#sum.at, count, position);
    if (!this.#pushed) return; // there is no way to the first frame
    this.#harmonicQueue.write(this.#sum.values, count);
    this.#harmonicClock.advance();
  }
}

/** Gives the function that finds at which index of a frame's controls an output of the network starts. */
export function outputIndices(manifest: Manifest): (name: string) => number {
  const starts = new Map<string, number>();
  let start = 0;
  for (const { name, channels } of manifest.network.outputs) {
    starts.set(name, start);
    start += channels;
  }
  return (name) => {
    const found = starts.get(name);
    if (found === undefined) throw new Error(`the network has no output ${name}`);
    return found;
  };
}
