/** The manifest of a bundle, as `bundles/manifest.schema.json` defines it. */

import type { LateTail } from "../synthesis/late_tail.ts";

/** Six numbers on one feature of the recordings; `mean_max` and `mean_min` are means of each example's extremes. */
export interface Spread {
  readonly mean: number;
  readonly max: number;
  readonly min: number;
  readonly mean_max: number;
  readonly mean_min: number;
  readonly std: number;
}

/** Statistics of the recordings: pitch in MIDI semitones, loudness and power in dB. `*_note`: where a note sounds. */
export interface Statistics {
  readonly pitch: Spread;
  readonly loudness: Spread;
  readonly pitch_note: Spread;
  readonly loudness_note: Spread;
  readonly power?: Spread;
  readonly power_note?: Spread;
  /** dB in frames in which a note is on, at ranks evenly spaced from 0 to 1. */
  readonly loudness_quantiles: readonly number[];
  /** Further ones where those are too far apart: at indices among `count` ranks evenly spaced from 0 to 1. */
  readonly loudness_details?: {
    readonly count: number;
    readonly indices: readonly number[];
    readonly quantiles: readonly number[];
  };
  /** Share of the frames in which a note is on at each MIDI pitch, from the lowest one upwards. */
  readonly pitch_shares?: { readonly lowest: number; readonly shares: readonly number[] };
}

export interface Credit {
  readonly work: string;
  readonly by: string;
  readonly licence: string;
  readonly source: string;
}

export interface AudioFormat {
  /** Hz. */
  readonly sample_rate: number;
  /** Hz, of features and controls. */
  readonly frame_rate: number;
  /** Samples a frame. */
  readonly hop: number;
  readonly loudness: {
    readonly fft_size: number;
    readonly window: "hann";
    readonly weighting: "A";
    readonly padding: "center";
    readonly floor_db: number;
  };
  readonly rms: { readonly frame_size: number };
}

export interface GraphTensor {
  readonly name: string;
  readonly dtype: "float32";
  readonly shape: readonly (number | null)[];
}

/** A TensorFlow.js graph model of the bundle. */
export interface Graph {
  readonly model: string;
  readonly weights: string;
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
  /** It has a loop, so TensorFlow.js needs `executeAsync`. */
  readonly dynamic: boolean;
}

export interface BundleFile {
  readonly path: string;
  readonly bytes: number;
  readonly gzip_bytes: number;
  readonly sha256: string;
}

/** Position and type of a tensor's bytes in a file; uint8 stands for stored * scale + min. */
export interface NetworkTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: string;
  readonly file: string;
  readonly offset: number;
  readonly dtype: "float32" | "float16" | "uint8";
  readonly scale?: number;
  readonly min?: number;
}

/** One input of the network: (feature in its unit - mean) / deviation. */
export interface NetworkInput {
  readonly name: string;
  readonly feature: "f0_hz" | "loudness_db" | "rms_energy";
  readonly unit: "midi" | "db" | "amplitude";
  readonly mean: number;
  readonly deviation: number;
}

/** Some columns of the last layer; `bias` is added before they are scaled. */
export interface NetworkOutput {
  readonly name: string;
  readonly channels: number;
  readonly bias: number;
}

interface NetworkBase {
  readonly frame_rate: number;
  readonly inputs: readonly NetworkInput[];
  readonly outputs: readonly NetworkOutput[];
  readonly layer_norm_epsilon: number;
  readonly leaky_slope: number;
  readonly tensors: readonly NetworkTensor[];
}

export interface CnnNetwork extends NetworkBase {
  readonly architecture: "cnn";
  readonly channels: number;
  readonly kernel: number;
  readonly dilations: readonly number[];
}

export interface GruNetwork extends NetworkBase {
  readonly architecture: "gru";
  readonly units: number;
  readonly stack_units: number;
  readonly stack_layers: number;
}

export type Network = CnnNetwork | GruNetwork;

/** One entry of the signal chain. */
export type Processor =
  | {
      readonly name: string;
      readonly type: "harmonic";
      readonly harmonics: number;
      readonly envelope: "window" | "linear";
    }
  | {
      readonly name: string;
      readonly type: "filtered_noise";
      readonly bands: number;
      /** Of the bands, in Hz or on the ERB-number scale. Absent from earlier bundles: linear. */
      readonly spacing?: "linear" | "erb";
    }
  | { readonly name: string; readonly type: "mix"; readonly inputs: readonly string[] }
  | { readonly name: string; readonly type: `reverb_${string}`; readonly inputs: readonly string[] };

export interface SynthesiserDescription {
  /** Hz. */
  readonly sample_rate: number;
  /** Samples a frame. */
  readonly hop: number;
  /** Samples by which streaming lags behind its features. */
  readonly latency: number;
  readonly nodes: readonly Processor[];
  /** Name of the node before the reverb, and of the last one. */
  readonly dry: string;
  readonly audio: string;
}

export interface ReverbDescription {
  readonly file: string;
  readonly taps: number;
  /** Before the inaudible end was cut. */
  readonly trained_taps?: number;
  /** In the file, where a late tail follows them; else all are. */
  readonly early_taps?: number;
  readonly late?: LateTail;
  /** Hz. */
  readonly sample_rate: number;
  readonly dtype: "float16";
  readonly normalise: false;
  readonly add_dry: true;
}

export interface Manifest {
  readonly format: "swara-bundle";
  readonly format_version: 1;
  readonly instrument: {
    readonly name: string;
    readonly title: string;
    readonly description: string;
    readonly licence: string;
    readonly credits: readonly Credit[];
  };
  readonly audio: AudioFormat;
  readonly graphs: { readonly controls: Graph; readonly full: Graph };
  readonly files: readonly BundleFile[];
  readonly precision: "float16" | "uint8";
  readonly statistics: Statistics;
  readonly synthesiser: SynthesiserDescription;
  readonly reverb: ReverbDescription | null;
  readonly network: Network;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly created: string;
  readonly [other: string]: unknown;
}
