/** Settings of a live instrument, and its reports. */

export interface LiveSettings {
  /** Source of what is played: the voice, or the keys. While nothing is connected to the input the keys play in either case. */
  readonly source: "voice" | "keys";
  /**
   * Octaves by which a voice is moved at first, before it is known: those that `FrameReport.voiceOctaves` gave the last
   * time, or `startingOctaves` of its range. Null, the default: as for a voice of middle range.
   */
  readonly startOctaves: number | null;
  /** Octaves, by hand, on top of the automatic shift. Default 0. */
  readonly octaves: number;
  /** Move the voice to the instrument's register and loudness by itself. Default true. */
  readonly automatic: boolean;
  /** dB, by hand, on top of the automatic match. Default 0. */
  readonly loudnessDb: number;
  /**
   * dB of loudness (`FLOOR_DB` to 0) below which the voice is silence. Default -45: a microphone's hiss lies below that
   * (white noise at -68 dB of full scale), and soft singing above it (a tone of 400 Hz at -55).
   */
  readonly gateDb: number;
  /** 0: the voice only, 1: the instrument only. Default 1. */
  readonly mix: number;
  /** How much of the instrument's reverb sounds: 0 none, 1 as it was learned. Default 1. */
  readonly room: number;
  /** How far the voice's pitch is drawn to the nearest semitone: 0 not at all, 1 onto it. Default 0. */
  readonly autotune: number;
  /** s, from one key's pitch to the next one's when they are tied. Default 0.06. */
  readonly glideSeconds: number;
  /** Depth to either side, of keys. Default 15. */
  readonly vibratoCents: number;
  /** Default 5.5. */
  readonly vibratoHz: number;
  /** s, of keys. Default 0.03. */
  readonly attackSeconds: number;
  /** s, of keys. Default 0.15. */
  readonly releaseSeconds: number;
}

/** dB of loudness that reports give where the instrument is silent. */
export const SILENCE_DB = -120;

/** About 25 a second. Arrays hold one value for each frame since the last report, oldest first. */
export interface FrameReport {
  /**
   * The voice. f0 in Hz (goes on where there is no pitch), confidence 0 to 1 (voiced from `VOICED_CONFIDENCE`),
   * loudness in dB.
   */
  readonly voice: { readonly f0Hz: Float32Array; readonly confidence: Float32Array; readonly loudnessDb: Float32Array };
  /** The instrument's part. Loudness is `SILENCE_DB` where it is silent. */
  readonly played: { readonly f0Hz: Float32Array; readonly loudnessDb: Float32Array };
  /** s of the context's clock (`AudioContext.currentTime`) at which the last frame's sound entered the input. */
  readonly time: number;
  /** Of the last 40 ms at `output`, reverb and voice included; linear. */
  readonly output: { readonly peak: number; readonly rms: number };
  /** Octaves by which the voice is moved now, by hand and by itself. */
  readonly octaveShift: number;
  /** Octaves that were chosen for the voice by itself. */
  readonly voiceOctaves: number;
  /** Share of the audio thread's time that this instrument used, smoothed; above 1 sound breaks up. */
  readonly load: number;
}

/** Parts of the time from a sound at `input` to its answer at `output` that the method itself costs. All in s. */
export interface Latency {
  /** The filter that brings the voice to the bundle's rate. */
  readonly resampling: number;
  /** Sound after a frame's middle that its pitch and loudness need. */
  readonly lookAhead: number;
  /** Wait of the pitch tracker before it decides. */
  readonly decision: number;
  /** From one frame to the next, which a sound between them needs. */
  readonly frame: number;
  /** Whole samples and frames do not come at the same moments. */
  readonly rounding: number;
  /** Their sum. What the context and the device add is not in it, and keys wait only for the frame. */
  readonly total: number;
}

export const DEFAULT_SETTINGS: LiveSettings = {
  source: "voice",
  startOctaves: null,
  octaves: 0,
  automatic: true,
  loudnessDb: 0,
  gateDb: -45,
  mix: 1,
  room: 1,
  autotune: 0,
  glideSeconds: 0.06,
  vibratoCents: 15,
  vibratoHz: 5.5,
  attackSeconds: 0.03,
  releaseSeconds: 0.15,
};
