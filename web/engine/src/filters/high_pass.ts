/**
 * Takes out what lies below 20 Hz, as training does (`data/files/high_pass.py`): an offset of the converter, rumble.
 *
 * A Butterworth filter of fourth order: two second-order sections by the bilinear transform, 3 dB down at 20 Hz. It
 * delays nothing.
 */

const CUTOFF_HZ = 20;
/** Quality of the two sections: 1 / (2 sin(pi / 8)) and 1 / (2 sin(3 pi / 8)), the one with less ringing first. */
const QUALITIES = [0.5 / Math.sin((3 * Math.PI) / 8), 0.5 / Math.sin(Math.PI / 8)] as const;
const SMALLEST = 1e-20; // what is left in silence; smaller numbers are slow

interface Section {
  /** Coefficients of z^0 and z^-2; that of z^-1 is -2 times as much. */
  readonly forward: number;
  readonly back1: number;
  readonly back2: number;
  state1: number;
  state2: number;
}

export class HighPass {
  readonly #sections: readonly Section[];
  #begun = false;

  /** @param rate Hz, of the samples. */
  constructor(rate: number) {
    const warped = Math.tan((Math.PI * CUTOFF_HZ) / rate);
    this.#sections = QUALITIES.map((quality) => {
      const damping = warped / quality;
      const scale = 1 / (1 + damping + warped ** 2);
      return {
        forward: scale,
        back1: 2 * (warped ** 2 - 1) * scale,
        back2: (1 - damping + warped ** 2) * scale,
        state1: 0,
        state2: 0,
      };
    });
  }

  /** Filters the next samples into `out`, as long; begins as if the first sample had gone on for ever before it. */
  process(samples: Float32Array, out: Float32Array): void {
    if (!this.#begun && samples.length) this.#begin(samples[0] as number);
    const [one, two] = this.#sections as [Section, Section];
    for (let at = 0; at < samples.length; at++) out[at] = step(two, step(one, samples[at] as number));
    for (const section of this.#sections) {
      if (Math.abs(section.state1) < SMALLEST) section.state1 = 0;
      if (Math.abs(section.state2) < SMALLEST) section.state2 = 0;
    }
  }

  /** Sets the states that a constant input leaves: the first section lets nothing of it through. */
  #begin(value: number): void {
    const [first] = this.#sections as [Section, Section];
    first.state1 = -first.forward * value;
    first.state2 = first.forward * value;
    this.#begun = true;
  }
}

/** Takes one sample through a section (transposed direct form II). */
function step(section: Section, x: number): number {
  const { forward, back1, back2 } = section;
  const y = forward * x + section.state1;
  section.state1 = -2 * forward * x - back1 * y + section.state2;
  section.state2 = forward * x - back2 * y;
  return y;
}
