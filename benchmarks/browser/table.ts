/** Formats the lines of a run as a Markdown table: figures beside their targets. */

import type { Line } from "./measure.ts";

interface Row {
  readonly name: string;
  readonly benchmark: string;
  readonly goal: string;
  /** The figure, of that benchmark's line. */
  readonly figure: (line: Figures) => string;
}

/** A line as it is read back; a figure that is not there is `undefined`, and shows as such. */
// biome-ignore lint/suspicious/noExplicitAny: lines differ from benchmark to benchmark
type Figures = any;

/** Stands for a figure that a bundle cannot have. */
const LOOP = "not measured: a recurrent network is not run on webgl";

const ROWS: readonly Row[] = [
  {
    name: "fused kernel: times faster than stock ops",
    benchmark: "harmonics",
    goal: ">= 20",
    figure: (line) => `${line.fused_times_faster} (${line.fused_times_faster_than_one_cumsum} than with one cumsum)`,
  },
  {
    name: "fused kernel: share of the stock ops' peak GPU memory",
    benchmark: "harmonics",
    goal: "<= 2 %",
    figure: ({ fused_share_of_peak, banks }) =>
      `${percent(fused_share_of_peak)} (${megabytes(banks.fused.peak_bytes)} of ${megabytes(banks.stock.peak_bytes)})`,
  },
  {
    name: "fused kernel: SNR, float32 / float16 textures",
    benchmark: "harmonics",
    goal: ">= 100 / 60 dB",
    figure: ({ banks }) => `${banks.fused.snr_db} / ${banks.fused.snr_db_float16} dB`,
  },
  {
    name: "modulo scan, summed in the shader: times faster than stock cumsum and bank",
    benchmark: "harmonics",
    goal: ">= 5",
    figure: (line) => `${line.scan_times_faster} (${line.scan_times_faster_than_one_cumsum} than with one cumsum)`,
  },
  {
    name: "NaN with float16 textures: stock / registerPhaseCumsum / scan",
    benchmark: "harmonics",
    goal: "some / 0 / 0",
    figure: ({ banks }) =>
      [banks.stock, banks.phase_cumsum, banks.scan].map((bank) => percent(bank.not_a_number_float16)).join(" / "),
  },
  {
    name: "clip on webgl, peak GPU memory: early disposal / without / `full/` graph",
    benchmark: "early_disposal",
    goal: "",
    figure: (line) =>
      line.with === null
        ? LOOP
        : [line.with, line.without, line.full_graph].map((memory) => megabytes(memory.peak_bytes)).join(" / "),
  },
  {
    name: "clip of 4 s, warm: controls on wasm, WASM synthesiser, reverb",
    benchmark: "clip",
    goal: "< 40 ms",
    figure: ({ paths: { wasm_controls_wasm_synthesiser: clip } }) =>
      `${clip.warm_ms} ms (the least disturbed run: ${clip.best_ms} ms)`,
  },
  {
    name: "GPU memory gained over 50 conversions",
    benchmark: "conversions",
    goal: "0 bytes",
    figure: ({ webgl }) => (webgl === null ? LOOP : `${webgl.gpu_bytes} bytes`),
  },
  {
    name: "live at 48 kHz, 100 harmonics, one core: times real time",
    benchmark: "live_synthesis",
    goal: ">= 60",
    figure: (line) => `${line.times_real_time} (${line.with_pitch_and_network} with pitch, loudness and network)`,
  },
  {
    name: "underruns in 30 s of live playing, main thread blocked 200 ms in every 500",
    benchmark: "underruns",
    goal: "0",
    figure: (line) => `${line.events} (audio thread ${percent(line.load)} busy)`,
  },
  {
    name: "live: gated tone in to sound out, in the audio thread's clock / algorithmic part",
    benchmark: "latency",
    goal: "- / <= 20 ms",
    figure: (line) => `${line.input_to_output_ms} ms / ${line.algorithmic_ms} ms`,
  },
  {
    name: "live: media stream to speaker = stream + in to out + output, as the context reports it",
    benchmark: "latency",
    goal: "",
    figure: (line) =>
      `${line.stream_to_speaker_ms} ms = ` +
      [line.media_stream_ms, line.input_to_output_ms, line.context_output_ms].join(" + "),
  },
  {
    name: "microphone to loudspeaker: what Swara adds to a bare graph, to 5 % / to half of a note",
    benchmark: "loopback",
    goal: "<= 26 / 40 ms",
    figure: (line) =>
      `${line.added_to_5_percent_ms} / ${line.added_to_half_ms} ms ` +
      `(bare ${spread(line.bare.to_half_ms)}, Swara ${spread(line.swara.to_half_ms)} to half)`,
  },
  {
    name: "download for live playing, gzip: engine / manifest, weights and reverb",
    benchmark: "downloads",
    goal: "<= 60 kB / -",
    figure: (line) => `${kilobytes(line.engine_gzip_bytes)} / ${kilobytes(line.bundle_gzip_bytes)}`,
  },
];

/** Formats the benchmarks that were run as Markdown. */
export function table(lines: readonly Line[]): string {
  const rows = ROWS.flatMap(({ name, benchmark, goal, figure }) => {
    const line = lines.find((candidate) => candidate.benchmark === benchmark);
    return line === undefined ? [] : [`| ${name} | ${figure(line)} | ${goal} |`];
  });
  return ["| what | measured | target |", "| --- | --- | --- |", ...rows].join("\n");
}

function spread({ median, least, most }: Figures): string {
  return `${median}, ${least} to ${most}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1e3).toFixed(1)} kB`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
