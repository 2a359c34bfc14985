/** From a microphone to a loudspeaker, as a player has it: a bare graph and the live instrument, in turns. */

import type { Browser } from "playwright-core";
import { midiToHz } from "../../web/engine/src/features/pitch_scale.ts";
import { launchChromium } from "../../web/validator/chromium.ts";
import type { Loopback } from "./live.ts";
import { type Bench, type Line, median, round } from "./measure.ts";
import { bursts, onsets, SETTLING } from "./onsets.ts";
import { PulseRig, RIG_RATE } from "./pulse.ts";

const NOTES = 18;
const NOTES_A_ROUND = 3; // a context's buffers lie elsewhere in time whenever it is opened
const MOST_ROUNDS = 30; // on a machine so busy that it drops sound
const BEGUN = 0.05; // of what a note rises to

/** ms of every note. */
interface Delays {
  readonly begun: number[];
  readonly half: number[];
  lost: number;
  stated: Loopback | null;
}

/**
 * Measures ms from a gated tone in the microphone to 5 % and to half of what it rises to in the loudspeaker, both null
 * devices of one PulseAudio server: through the instrument as it is, and through a graph with nothing between.
 */
export async function loopback({ chromium, origin, bundle }: Bench): Promise<Line> {
  const { statistics } = await (await fetch(bundle)).json();
  const voice = bursts(midiToHz(statistics.pitch_note.mean), RIG_RATE, SETTLING + NOTES_A_ROUND);
  const bare: Delays = { begun: [], half: [], lost: 0, stated: null };
  const swara: Delays = { begun: [], half: [], lost: 0, stated: null };
  const rig = await PulseRig.start();
  try {
    const browser = await launchChromium(chromium, { environment: rig.environment, audible: true });
    try {
      const isEnough = () => Math.min(bare.begun.length, swara.begun.length) >= NOTES;
      for (let at = 0; at < MOST_ROUNDS && !isEnough(); at++) {
        await playRound(rig, browser, origin, null, voice, bare);
        await playRound(rig, browser, origin, bundle, voice, swara);
      }
    } finally {
      await browser.close();
    }
  } finally {
    rig.stop();
  }
  const added = (name: "begun" | "half") => round(median(swara[name]) - median(bare[name]));
  return {
    benchmark: "loopback",
    bare: describe(bare),
    swara: describe(swara),
    added_to_5_percent_ms: added("begun"),
    added_to_half_ms: added("half"),
  };
}

async function playRound(
  rig: PulseRig,
  browser: Browser,
  origin: string,
  url: string | null,
  voice: Float32Array,
  delays: Delays,
): Promise<void> {
  const page = await browser.newPage();
  try {
    await page.goto(`${origin}/`, { waitUntil: "load" });
    await page.mouse.click(1, 1); // contexts start only on pages that were touched
    delays.stated = await page.evaluate((manifest) => globalThis.swaraBenchmark.openLoopback(manifest), url);
    const recorded = await rig.play(voice);
    const found = onsets(recorded.voice, recorded.speaker, RIG_RATE, { first: BEGUN, mayLose: true });
    delays.begun.push(...found.seconds.map((seconds) => 1000 * seconds));
    delays.lost += found.lost;
    delays.half.push(...found.toHalf.map((seconds) => 1000 * seconds));
  } finally {
    await page.close();
  }
}

function describe({ begun, half, lost, stated }: Delays) {
  const spread = (values: readonly number[]) => ({
    median: round(median(values)),
    least: round(Math.min(...values)),
    most: round(Math.max(...values)),
  });
  const ms = (seconds: number | null | undefined) => (seconds == null ? null : round(1000 * seconds));
  return {
    notes: begun.length,
    lost,
    to_5_percent_ms: spread(begun),
    to_half_ms: spread(half),
    method_ms: ms(stated?.method),
    stated_output_ms: ms(stated?.output),
    stated_input_ms: ms(stated?.input),
  };
}
