/** Chooses whole octaves that bring a voice near an instrument, while the voice still goes on. */

import { octaveShift } from "../features/adjust.ts";

const MEMORY_SECONDS = 20;
const FIRST_SECONDS = 1; // in which a first choice may still be mended in the middle of a note
const SURE_SECONDS = 0.04; // of notes before anything is chosen
const RELUCTANCE = 3; // semitones by which the voice must be past the point where another octave would be right

export class OctaveChoice {
  /** Octaves by which the voice is moved. */
  octaves = 0;
  readonly #targetMidi: number;
  readonly #frameRate: number;
  #mean = 0;
  /** Frames learned from. */
  #count = 0;

  /** @param targetMidi the instrument's mean pitch. */
  constructor(targetMidi: number, frameRate: number) {
    this.#targetMidi = targetMidi;
    this.#frameRate = frameRate;
  }

  /** Learns from the pitch of a note's frame. */
  learn(midi: number): void {
    this.#count++;
    this.#mean += (midi - this.#mean) / Math.min(this.#count, MEMORY_SECONDS * this.#frameRate);
    const seconds = this.#count / this.#frameRate;
    if (seconds >= SURE_SECONDS && seconds < FIRST_SECONDS) this.#choose();
  }

  /** Between notes another octave may be chosen. */
  rest(): void {
    if (this.#count >= FIRST_SECONDS * this.#frameRate) this.#choose();
  }

  #choose(): void {
    const low = octaveShift(this.#mean - RELUCTANCE, this.#targetMidi);
    const high = octaveShift(this.#mean + RELUCTANCE, this.#targetMidi);
    const first = this.#count <= Math.ceil(SURE_SECONDS * this.#frameRate);
    if (first) this.octaves = octaveShift(this.#mean, this.#targetMidi);
    else if (low === high) this.octaves = low;
  }
}
