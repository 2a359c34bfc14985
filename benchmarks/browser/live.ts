/** The live instrument in a real AudioContext: underruns and latency. */

import { loadInstrument } from "../../web/engine/src/bundle/load.ts";
import { midiToHz } from "../../web/engine/src/features/pitch_scale.ts";
import { LiveCore } from "../../web/engine/src/live/core.ts";
import { createLiveInstrument, type LiveInstrument } from "../../web/engine/src/live/instrument.ts";
import type { Latency } from "../../web/engine/src/live/types.ts";
import { NoiseSource } from "../../web/engine/src/synthesis/noise_source.ts";
import { createKernels } from "../../web/engine/src/wasm/kernels.ts";
import { bursts, type Onsets, onsets } from "./onsets.ts";
import { LIVE_RATE } from "./synthesis.ts";

const BLOCK = 128;
const BLOCKED_MS = 200;
const PERIOD_MS = 500;
const OPENING_MS = 2_500; // in which a device's own delay still moves

/** Statistics of a context's output (Audio Playback Stats); not every browser has them. */
interface PlaybackStats {
  readonly underrunEvents: number;
  readonly underrunDuration: number;
  readonly totalDuration: number;
}

export interface Underruns {
  readonly events: number;
  readonly seconds: number;
  readonly played_seconds: number;
  /** Share of the audio thread's time: on average, and at the worst report. */
  readonly load: number;
  readonly worst_load: number;
  /** Seconds for which the main thread was really blocked. */
  readonly blocked_seconds: number;
}

export interface LatencyResult {
  readonly onsets: Onsets;
  readonly parts: Latency;
  /** s, what the context and its device add on the way out. */
  readonly base: number;
  readonly output: number;
}

/** Measures seconds of sound per second of one core, of all that runs live: pitch, loudness, network, synthesiser. */
export async function wholeTimesRealTime(url: string, seconds: number): Promise<number> {
  const { manifest, tensors } = await loadInstrument(url);
  const core = new LiveCore(await createKernels(), manifest, tensors, LIVE_RATE, new NoiseSource(), () => {});
  const hz = midiToHz(manifest.statistics.pitch_note.mean);
  const voice = Float32Array.from({ length: seconds * LIVE_RATE }, (_, i) => sawtooth((i * hz) / LIVE_RATE));
  const [instrument, direct] = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
  const run = (from: number, to: number) => {
    for (let at = from; at + BLOCK <= to; at += BLOCK) core.process(voice.subarray(at, at + BLOCK), instrument, direct);
  };
  const warm = LIVE_RATE; // a second, in which it is compiled
  run(0, warm);
  const begun = performance.now();
  run(warm, voice.length);
  return (voice.length - warm) / LIVE_RATE / ((performance.now() - begun) / 1000);
}

/** Plays a voice through the instrument while the main thread is blocked 200 ms in every 500. */
export async function underruns(url: string, seconds: number): Promise<Underruns> {
  const context = new AudioContext({ sampleRate: LIVE_RATE, latencyHint: "interactive" });
  const live = await start(context, url);
  const hz = midiToHz((await loadInstrument(url)).manifest.statistics.pitch_note.mean);
  const voice = new OscillatorNode(context, { type: "sawtooth", frequency: hz });
  const level = new GainNode(context, { gain: 0.3 });
  voice.connect(level).connect(live.input);
  live.output.connect(context.destination);
  voice.start();
  const loads: number[] = [];
  live.onFrames = ({ load }) => loads.push(load);
  await sleep(2000); // until it is compiled
  loads.length = 0;
  const before = playbackStats(context);
  const blocked_seconds = await blockAgainAndAgain(1000 * seconds);
  const after = playbackStats(context);
  live.close();
  await context.close();
  return {
    events: after.underrunEvents - before.underrunEvents,
    seconds: after.underrunDuration - before.underrunDuration,
    played_seconds: after.totalDuration - before.totalDuration,
    load: loads.reduce((sum, load) => sum + load, 0) / loads.length,
    worst_load: Math.max(...loads),
    blocked_seconds,
  };
}

/**
 * Gates a tone into the instrument's input and looks for it at the output. Both are recorded by one worklet, so that
 * they share its clock, to the sample.
 *
 * @param isStream sends the tone through a media stream, as a microphone's sound comes.
 */
export async function latency(url: string, isStream: boolean): Promise<LatencyResult> {
  const context = new AudioContext({ sampleRate: LIVE_RATE, latencyHint: "interactive" });
  const live = await start(context, url);
  live.set({ room: 0 });
  const hz = midiToHz((await loadInstrument(url)).manifest.statistics.pitch_note.mean);
  const tone = bursts(hz, LIVE_RATE);
  const buffer = context.createBuffer(1, tone.length, LIVE_RATE);
  buffer.copyToChannel(tone, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  const both = new ChannelMergerNode(context, { numberOfInputs: 2 });
  entrance(source, isStream).connect(live.input);
  source.connect(both, 0, 0);
  live.output.connect(both, 0, 1);
  live.output.connect(context.destination);
  const recorded = await record(context, both, tone.length + LIVE_RATE / 2, () => source.start());
  const result = {
    onsets: onsets(recorded[0], recorded[1], LIVE_RATE),
    parts: live.latency,
    base: context.baseLatency,
    output: context.outputLatency,
  };
  live.close();
  await context.close();
  return result;
}

/** What a context states of its own delay once it has played for a while, and the instrument of its. All in s. */
export interface Loopback {
  readonly method: number;
  readonly output: number;
  /** Of the microphone, where the browser states it. */
  readonly input: number | null;
}

/** Connects the microphone to the loudspeaker, through an instrument (in its own room) or with nothing between. */
export async function openLoopback(url: string | null): Promise<Loopback> {
  const context = new AudioContext({ latencyHint: "interactive" });
  await context.resume();
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
  const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
  const live = url === null ? null : await start(context, url);
  if (live) live.output.connect(context.destination);
  source.connect(live ? live.input : context.destination);
  await sleep(OPENING_MS);
  const settings = stream.getAudioTracks()[0]?.getSettings() as
    | (MediaTrackSettings & { readonly latency?: number })
    | undefined;
  return { method: live?.latency.total ?? 0, output: context.outputLatency, input: settings?.latency ?? null };
}

/** Gives the node itself, or the far end of a media stream that it feeds. */
function entrance(source: AudioNode, isStream: boolean): AudioNode {
  if (!isStream) return source;
  const context = source.context as AudioContext;
  const sender = new MediaStreamAudioDestinationNode(context);
  source.connect(sender);
  return new MediaStreamAudioSourceNode(context, { mediaStream: sender.stream });
}

async function start(context: AudioContext, url: string): Promise<LiveInstrument> {
  await context.resume();
  return createLiveInstrument(context, await loadInstrument(url));
}

/** Posts its input, two channels, block by block; JavaScript, since a worklet's module is loaded as it is. */
const RECORDER = `registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([input]) {
    if (input.length === 2) this.port.postMessage(input);
    return true;
  }
});`;

async function record(
  context: AudioContext,
  node: AudioNode,
  samples: number,
  begin: () => void,
): Promise<[Float32Array, Float32Array]> {
  const module = URL.createObjectURL(new Blob([RECORDER], { type: "text/javascript" }));
  await context.audioWorklet.addModule(module);
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  const channels: [Float32Array, Float32Array] = [new Float32Array(samples), new Float32Array(samples)];
  node.connect(recorder);
  await new Promise<void>((done) => {
    let at = 0;
    recorder.port.onmessage = ({ data }: MessageEvent<[Float32Array, Float32Array]>) => {
      data.forEach((block, channel) => {
        channels[channel as 0 | 1].set(block.subarray(0, samples - at), at);
      });
      at = Math.min(samples, at + data[0].length);
      if (at === samples) done();
    };
    begin();
  });
  recorder.port.onmessage = null;
  node.disconnect(recorder);
  return channels;
}

/** Blocks the thread again and again; gives the seconds for which it was blocked. */
async function blockAgainAndAgain(ms: number): Promise<number> {
  const begun = performance.now();
  let blocked = 0;
  while (performance.now() - begun < ms) {
    const now = performance.now();
    while (performance.now() - now < BLOCKED_MS);
    blocked += performance.now() - now;
    await sleep(PERIOD_MS - BLOCKED_MS);
  }
  return blocked / 1000;
}

function playbackStats(context: AudioContext): PlaybackStats {
  const stats = (context as AudioContext & { playbackStats?: PlaybackStats }).playbackStats;
  if (stats === undefined) throw new Error("this browser does not count underruns (AudioContext.playbackStats)");
  const { underrunEvents, underrunDuration, totalDuration } = stats;
  return { underrunEvents, underrunDuration, totalDuration };
}

function sawtooth(cycles: number): number {
  return 0.3 * (2 * (cycles - Math.floor(cycles)) - 1);
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
