/** Figures of cost: time, memory, bytes. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { instrument, loadMilliseconds } from "../store/instruments.ts";
import { measureMemory } from "../store/memory.ts";
import { latency, load, measureDelay, measuring, microphone, octaveShift, recording } from "../store/studio.ts";
import { rendered } from "../store/take.ts";
import { bytes, milliseconds, percent, signed } from "./formatting.ts";

const EVERY_MS = 5_000;
const memory = signal<number | null>(null);

export function Figures() {
  useEffect(() => {
    const measure = async () => {
      memory.value = await measureMemory();
    };
    void measure();
    const timer = setInterval(measure, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const made = rendered.value;
  const delay = latency.value;
  return (
    <>
      <dl class="figures">
        <Figure
          name="Delay, singing"
          value={delay && atLeast(milliseconds(1000 * (delay.method + delay.device)), !delay.whole)}
        >
          {delay && `${milliseconds(1000 * delay.method)} of it the method, ${rest(delay.whole)}`}
        </Figure>
        <Figure name="Of the audio thread" value={microphone.value === "on" ? percent(load.value) : null}>
          {microphone.value === "on" && `voice moved ${signed(octaveShift.value)} oct`}
        </Figure>
        <Figure name="Last take" value={made?.played ? milliseconds(made.analysisMs + made.renderMs) : null}>
          {made?.played && `for ${(made.after.length / made.sampleRate).toFixed(1)} s of sound`}
        </Figure>
        <Figure name="Instrument" value={instrument.value && bytes(instrument.value.bytes)}>
          {loadMilliseconds.value > 0 && `here in ${milliseconds(loadMilliseconds.value)}`}
        </Figure>
        <Figure name="Memory" value={memory.value && bytes(memory.value)}>
          {memory.value !== null && "held by this page"}
        </Figure>
      </dl>
      {microphone.value === "on" && recording.value === null && (
        <button type="button" class="quiet" disabled={measuring.value} onClick={() => void measureDelay()}>
          {measuring.value ? "Listening for the click…" : "Measure the delay with a click"}
        </button>
      )}
    </>
  );
}

function atLeast(figure: string, more: boolean): string {
  return more ? `at least ${figure}` : figure;
}

function rest(whole: boolean): string {
  return whole ? "the rest this device, as measured" : "the rest as the browser states it; a click measures all of it";
}

interface Props {
  readonly name: string;
  readonly value: string | 0 | null | undefined;
  readonly children?: string | false | 0 | null | undefined;
}

function Figure({ name, value, children }: Props) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <strong>{value || "–"}</strong>
        <span class="figure-note">{children || ""}</span>
      </dd>
    </div>
  );
}
