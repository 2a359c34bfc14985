/** Plays a take: voice and instrument run side by side, and one of them is audible. */

import { computed, effect, signal } from "@preact/signals";
import { audioContext, bufferOf } from "../sound/context.ts";
import { end, type Sounding } from "../sound/ending.ts";
import { softLimit } from "../sound/levels.ts";
import { report } from "./notices.ts";
import { type Rendered, rendered, type Side } from "./take.ts";

/** The side that the player has chosen. */
const wanted = signal<Side>("after");
/** The side that is audible: of some takes there is but one. */
export const side = computed<Side>(() => rendered.value?.only ?? wanted.value);
export const playing = signal(false);

const CROSSFADE_SECONDS = 0.02;

interface Run extends Sounding {
  readonly of: Rendered;
  readonly context: AudioContext;
  readonly start: number;
  readonly seconds: number;
  readonly gains: Readonly<Record<Side, GainNode>>;
}

let run: Run | null = null;

/** Plays the take from its beginning. */
export async function play(): Promise<void> {
  const what = rendered.value;
  if (!what) return;
  stop();
  try {
    const context = await audioContext();
    run = start(context, what);
    playing.value = true;
  } catch (error) {
    report(error);
  }
}

export function chooseSide(which: Side): void {
  wanted.value = which;
}

export function stop(): void {
  const ended = run;
  run = null;
  if (ended) end(ended);
  playing.value = false;
}

/** Computes the seconds from the beginning of the take that is playing; null where none is. */
export function position(): number | null {
  return run ? Math.min(run.seconds, Math.max(0, run.context.currentTime - run.start)) : null;
}

function start(context: AudioContext, what: Rendered): Run {
  const begin = context.currentTime + 0.03;
  const limiter = new WaveShaperNode(context, { curve: softLimit() });
  const out = new GainNode(context);
  limiter.connect(out).connect(context.destination);
  const gains = {
    before: new GainNode(context, { gain: side.value === "before" ? 1 : 0 }),
    after: new GainNode(context, { gain: side.value === "after" ? 1 : 0 }),
  };
  const sources = (["before", "after"] as const).map((which) => {
    const source = new AudioBufferSourceNode(context, { buffer: bufferOf(context, what[which], what.sampleRate) });
    source.connect(gains[which]).connect(limiter);
    source.start(begin);
    return source;
  });
  const last = what.after.length >= what.before.length ? sources[1] : sources[0];
  if (last) last.onended = () => stop();
  const seconds = Math.max(what.after.length, what.before.length) / what.sampleRate;
  return { of: what, context, start: begin, seconds, gains, sources, out };
}

effect(() => {
  const audible = side.value;
  if (!run) return;
  for (const which of ["before", "after"] as const) {
    run.gains[which].gain.setTargetAtTime(which === audible ? 1 : 0, run.context.currentTime, CROSSFADE_SECONDS / 3);
  }
});

// A take that was made anew is not the one that is playing.
effect(() => {
  if (rendered.value !== run?.of) stop();
});
