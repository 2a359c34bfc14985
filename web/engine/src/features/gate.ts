/** A gate: silence while a voice is too soft. Live and takes pass the same one. */

const RAMP_SECONDS = [0.008, 0.05] as const; // in which it opens and closes
const HOLD_SECONDS = 0.06;
const WIDTH_DB = 3; // between opening and closing

export class Gate {
  /** Factor of the synthesiser's amplitudes: 0 is silence. */
  gain = 0;
  open = false;
  readonly #frameRate: number;
  #quietFrames = 0;

  constructor(frameRate: number) {
    this.#frameRate = frameRate;
  }

  /** Moves by a frame: towards open where its loudness reaches `gateDb`, towards shut where it stays below. */
  move(loudnessDb: number, gateDb: number): void {
    this.#quietFrames = loudnessDb < gateDb - WIDTH_DB ? this.#quietFrames + 1 : 0;
    if (loudnessDb >= gateDb) this.open = true;
    else if (this.#quietFrames > HOLD_SECONDS * this.#frameRate) this.open = false;
    const [opening, closing] = RAMP_SECONDS;
    const step = this.open ? 1 / (opening * this.#frameRate) : -1 / (closing * this.#frameRate);
    this.gain = Math.max(0, Math.min(1, this.gain + step));
  }
}

/** Computes the gains of a recording's frames, as the gate of live playing sets them; all [frames]. */
export function gateGains(loudnessDb: Float32Array, gateDb: number, frameRate: number): Float32Array {
  const gate = new Gate(frameRate);
  return loudnessDb.map((db) => {
    gate.move(db, gateDb);
    return gate.gain;
  });
}
