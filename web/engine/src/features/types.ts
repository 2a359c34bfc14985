/** Features of a sound, frame by frame, and what a player may set of their adjustment. */

/** Features at the bundle's frame rate; frame t is centred on t / frame rate. All arrays have one length. */
export interface Features {
  /** Hz; goes on through frames without pitch, always positive. */
  readonly f0Hz: Float32Array;
  /** 0 to 1; a frame is voiced from `VOICED_CONFIDENCE`. */
  readonly confidence: Float32Array;
  /** A-weighted dB as training measured it, at least `FLOOR_DB`. */
  readonly loudnessDb: Float32Array;
  /** Root mean square, linear. */
  readonly rms: Float32Array;
}

/** Options of `adjust`; see `player/adjust.py`. */
export interface AdjustOptions {
  /** False leaves only the two shifts by hand. Default true. */
  readonly automatic?: boolean;
  /** How surely a frame must be part of a note: 1 (default) suits most recordings, 0 takes everything for a note. */
  readonly noteThreshold?: number;
  /** dB by which frames that are surely no note are turned down. Default 20. */
  readonly quietDb?: number;
  /** How far pitch is drawn to the nearest note of a scale: 0 (default) not at all, 1 onto it. */
  readonly autotune?: number;
  /** Draw to all twelve notes, in the voice's own tuning, instead of to the major scale that fits best. */
  readonly chromatic?: boolean;
  /**
   * How octaves are chosen: so that most of the voice's notes fall where the instrument was recorded (`overlap`, the
   * default), or by the difference of means alone (`notebook`, as ddsp's timbre-transfer notebook does).
   */
  readonly octaveRule?: "overlap" | "notebook";
  /** Shift by hand, on top of the automatic one. */
  readonly octaves?: number;
  /** dB, shift by hand, on top of the automatic match. */
  readonly loudnessDb?: number;
}

/** A voice made ready for an instrument; arrays have the features' length. */
export interface AdjustedFeatures {
  /** Hz, at most 4699 (MIDI 110). */
  readonly f0Hz: Float32Array;
  /** dB; gated frames may lie below `FLOOR_DB`. */
  readonly loudnessDb: Float32Array;
  /** Linear: the mean RMS energy of the instrument's notes where they are so loud. */
  readonly rms: Float32Array;
  /** Octaves by which the pitch was moved by itself (the shift by hand is not in it). */
  readonly octaveShift: number;
  /** Semitones by which the voice's tuning lies above equal temperament at 440 Hz, -0.5 to 0.5. */
  readonly tuningFactor: number;
  /** 1 where a note was found. */
  readonly noteOn: Uint8Array;
}
