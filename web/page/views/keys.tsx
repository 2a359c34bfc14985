/** Keys: the instrument played without a voice. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { drawPitchRoll, Framing } from "../drawing/pitch_roll.ts";
import { instrument } from "../store/instruments.ts";
import {
  allNotesOff,
  bend,
  computerKeyDown,
  computerKeyUp,
  connectMidi,
  home,
  midiInputs,
  moveOctave,
  releaseComputerKeys,
  velocity,
} from "../store/keys.ts";
import { beginning, beginRecording, finishRecording } from "../store/sources.ts";
import { recording, trace } from "../store/studio.ts";
import { Canvas } from "./canvas.tsx";
import { percent, signed } from "./formatting.ts";
import { Keyboard } from "./keyboard.tsx";
import { Meters } from "./meters.tsx";
import { Slider } from "./slider.tsx";

/** CSS pixels: a finger's width. */
const NARROWEST_KEY = 38;

export function Keys() {
  useComputerKeys();
  const statistics = instrument.value?.manifest.statistics;
  const framing = useMemo(
    () => new Framing(statistics?.pitch_note.min ?? 55, statistics?.pitch_note.max ?? 84),
    [statistics],
  );
  const frame = useRef<HTMLDivElement>(null);
  const octaves = useOctaves(frame);
  return (
    <>
      <Canvas
        label="Pitch of the instrument over the last seconds"
        class="roll low"
        moving={true}
        draw={(surface) => drawPitchRoll(surface, trace, framing, "Press a key")}
      />
      <div ref={frame}>
        {statistics && <Keyboard low={home()} high={home() + 12 * octaves} statistics={statistics} />}
      </div>
      <Transport />
      <div class="wheels">
        <Bend />
        <Slider label="Velocity" setting={velocity} min={0.125} max={1} step={0.125} format={percent} />
      </div>
      <Meters input={false} />
      <p class="hint">
        On a computer keyboard <kbd>A</kbd> to <kbd>;</kbd> are the white keys and the row above the black ones;{" "}
        <kbd>Z</kbd> <kbd>X</kbd> move the octave, <kbd>C</kbd> <kbd>V</kbd> the velocity. Pale keys lie outside what
        the instrument has learned.
      </p>
    </>
  );
}

function Transport() {
  const inputs = midiInputs.value;
  return (
    <div class="transport">
      <button
        type="button"
        class={recording.value ? "primary recording" : "primary"}
        disabled={instrument.value === null || beginning.value}
        onClick={() => void (recording.value ? finishRecording("keys") : beginRecording("keys"))}
      >
        {recording.value ? "Finish recording" : "Record"}
      </button>
      <button type="button" onClick={() => moveOctave(-1)}>
        Octave down
      </button>
      <button type="button" onClick={() => moveOctave(1)}>
        Octave up
      </button>
      {inputs === null || inputs.length === 0 ? (
        <button type="button" disabled={instrument.value === null} onClick={() => void connectMidi()}>
          Connect a MIDI keyboard
        </button>
      ) : (
        <span class="hint">{inputs.join(", ")}</span>
      )}
    </div>
  );
}

/** A wheel that springs back. */
function Bend() {
  const [semitones, setSemitones] = useState(0);
  const turn = (to: number) => {
    setSemitones(to);
    void bend(to);
  };
  useEffect(() => () => void bend(0), []); // no blur event comes when it is removed
  return (
    <div class="slider">
      <label for="bend">Pitch bend</label>
      <output for="bend">{signed(semitones, 2)} semitones</output>
      <input
        id="bend"
        type="range"
        min={-2}
        max={2}
        step={0.05}
        value={semitones}
        onInput={(event) => turn(event.currentTarget.valueAsNumber)}
        onPointerUp={() => turn(0)}
        onPointerCancel={() => turn(0)}
        onBlur={() => turn(0)}
      />
    </div>
  );
}

/** Counts the octaves that fit. */
function useOctaves(frame: { readonly current: HTMLDivElement | null }): number {
  const [octaves, setOctaves] = useState(2);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      setOctaves(Math.min(3, Math.max(1, Math.floor(element.clientWidth / (7 * NARROWEST_KEY)))));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return octaves;
}

function useComputerKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (computerKeyDown(event.code)) event.preventDefault();
    };
    const lift = (event: KeyboardEvent) => computerKeyUp(event.code);
    addEventListener("keydown", press);
    addEventListener("keyup", lift);
    addEventListener("blur", releaseComputerKeys);
    return () => {
      removeEventListener("keydown", press);
      removeEventListener("keyup", lift);
      removeEventListener("blur", releaseComputerKeys);
      void allNotesOff();
    };
  }, []);
}

/** Checks whether letters belong to what has the focus: only where text is written or chosen. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
