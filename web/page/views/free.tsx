/** Free playing: sing, whistle or play into the microphone; or bring a recording. */

import { useMemo } from "preact/hooks";
import { drawPitchRoll, Framing } from "../drawing/pitch_roll.ts";
import { instrument } from "../store/instruments.ts";
import { report } from "../store/notices.ts";
import { beginRecording, finishRecording, openFile, useSample } from "../store/sources.ts";
import { microphone, recording, startMicrophone, stopMicrophone, trace } from "../store/studio.ts";
import { Canvas } from "./canvas.tsx";
import { Headphones } from "./headphones.tsx";
import { Meters } from "./meters.tsx";

export function Free() {
  const on = microphone.value === "on";
  const statistics = instrument.value?.manifest.statistics;
  const framing = useMemo(() => new Framing(45, Math.min(statistics?.pitch_note.max ?? 84, 88)), [statistics]);
  return (
    <>
      <Transport />
      <Canvas
        label="Pitch of the voice, thin, and of the instrument, bold, over the last seconds"
        class="roll"
        moving={on}
        draw={(surface) => drawPitchRoll(surface, trace, framing, on ? "" : "Sing, whistle or play")}
      />
      <Legend />
      <Meters input={true} />
      <Headphones />
    </>
  );
}

function Legend() {
  return (
    <p class="legend" aria-hidden="true">
      <span class="legend-voice">your voice</span>
      <span class="legend-instrument">
        {instrument.value?.manifest.instrument.title.toLowerCase() ?? "the instrument"}
      </span>
    </p>
  );
}

function Transport() {
  const state = microphone.value;
  const ready = instrument.value !== null;
  return (
    <div class="transport">
      <button
        type="button"
        class="primary"
        aria-pressed={state === "on"}
        disabled={!ready || state === "starting" || recording.value !== null}
        onClick={() => (state === "on" ? void stopMicrophone() : startMicrophone().catch(report))}
      >
        {state === "on" && recording.value === null ? "Stop" : state === "starting" ? "Starting…" : "Sing live"}
      </button>
      <button
        type="button"
        class={recording.value ? "recording" : ""}
        disabled={!ready || state === "starting"}
        onClick={() => (recording.value ? void finishRecording("voice") : void beginRecording("voice"))}
      >
        {recording.value ? "Finish recording" : "Record"}
      </button>
      <FileButton disabled={!ready || state !== "off"} />
      <button type="button" disabled={!ready || state !== "off"} onClick={useSample}>
        Use a hummed sample
      </button>
    </div>
  );
}

function FileButton({ disabled }: { readonly disabled: boolean }) {
  return (
    <label class={disabled ? "button disabled" : "button"}>
      Open or drop a recording
      <input
        type="file"
        class="visually-hidden"
        accept="audio/*"
        disabled={disabled}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = ""; // so that the same file can be opened again
          if (file) void openFile(file);
        }}
      />
    </label>
  );
}
