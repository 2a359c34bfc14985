/** Levels of what goes in and what comes out. */

import type { ReadonlySignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { FLOOR_DB } from "swara-engine";
import { inputDb, outputDb } from "../store/studio.ts";

const LOUD_DB = -6;

export function Meters({ input }: { readonly input: boolean }) {
  return (
    <div class="meters">
      {input && <Meter label="Voice" level={inputDb} />}
      <Meter label="Instrument" level={outputDb} />
    </div>
  );
}

function Meter({ label, level }: { readonly label: string; readonly level: ReadonlySignal<number> }) {
  const id = useId();
  const db = Math.min(0, level.value);
  return (
    <div class="meter">
      <label for={id}>{label}</label>
      <meter
        id={id}
        class={db > LOUD_DB ? "hot" : ""}
        min={FLOOR_DB}
        max={0}
        high={LOUD_DB}
        value={db}
        aria-valuetext={`${Math.round(db)} decibels`}
        style={{ "--share": `${100 * (1 - db / FLOOR_DB)}%` }}
      />
      <span class="meter-value" aria-hidden="true">
        {db <= FLOOR_DB ? "–" : Math.round(db)}
      </span>
    </div>
  );
}
