/** Piano keys on the screen, for fingers, mouse and the arrow keys. */

import { useRef, useState } from "preact/hooks";
import type { Statistics } from "swara-engine";
import { letterOf } from "../keys/computer.ts";
import { isBlack, isKnown } from "../keys/range.ts";
import { noteName } from "../sound/pitch.ts";
import { down, home, noteOff, noteOn } from "../store/keys.ts";

/** Keys of the computer that press the key in focus. */
const PRESSES: readonly string[] = [" ", "Enter"];

interface Props {
  /** MIDI number of a C. */
  readonly low: number;
  /** MIDI number of the C at the right end. */
  readonly high: number;
  readonly statistics: Statistics;
}

export function Keyboard({ low, high, statistics }: Props) {
  const [focused, setFocused] = useState(low);
  /** What each finger holds down: pointers by their number, keys of the computer by their name. */
  const fingers = useRef(new Map<number | string, number>());
  const keys = Array.from({ length: high - low + 1 }, (_, index) => low + index);
  const whites = keys.filter((midi) => !isBlack(midi)).length;
  const reachable = keys.includes(focused) ? focused : low;

  const put = (finger: number | string, midi: number) => {
    const before = fingers.current.get(finger);
    if (midi === before) return;
    fingers.current.set(finger, midi);
    void noteOn(midi);
    if (before !== undefined) void noteOff(before);
  };
  const lift = (finger: number | string) => {
    const midi = fingers.current.get(finger);
    fingers.current.delete(finger);
    if (midi !== undefined) void noteOff(midi);
  };
  const touch = (event: PointerEvent) => {
    if (event.type === "pointermove" && !fingers.current.has(event.pointerId)) return;
    const midi = keyUnder(event);
    if (midi !== null) put(event.pointerId, midi);
  };
  const untouch = (event: PointerEvent) => lift(event.pointerId);
  const walk = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      const next = Math.min(high, Math.max(low, reachable + by));
      setFocused(next);
      (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-midi="${next}"]`)?.focus();
    } else if (isPress(event)) {
      event.preventDefault();
      if (!event.repeat) put(event.key, reachable);
    }
  };
  const leave = (event: FocusEvent) => {
    if ((event.currentTarget as HTMLElement).contains(event.relatedTarget as Node | null)) return;
    for (const press of PRESSES) lift(press); // their release goes to whatever has the focus now
  };

  return (
    <fieldset
      class="keyboard"
      aria-label="Keys: arrows move, space plays"
      onPointerDown={touch}
      onPointerMove={touch}
      onPointerUp={untouch}
      onPointerCancel={untouch}
      onPointerLeave={untouch}
      onKeyDown={walk}
      onKeyUp={(event) => lift(event.key)}
      onFocusOut={leave}
    >
      {keys.map((midi) => (
        <button
          type="button"
          key={midi}
          data-midi={midi}
          class={keyClass(midi, statistics)}
          style={positionOf(midi, low, whites)}
          aria-label={noteName(midi)}
          aria-pressed={down.value.has(midi)}
          tabIndex={midi === reachable ? 0 : -1}
          onFocus={() => setFocused(midi)}
        >
          <span aria-hidden="true">
            <span class="key-letter" data-letter={letterOf(midi - home())} />
            {!isBlack(midi) && <span class={midi % 12 === 0 ? "key-name" : "key-name other"}>{noteName(midi)}</span>}
          </span>
        </button>
      ))}
    </fieldset>
  );
}

function isPress(event: KeyboardEvent): boolean {
  return PRESSES.includes(event.key);
}

function keyUnder(event: PointerEvent): number | null {
  const key = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-midi]");
  return key ? Number(key.dataset.midi) : null;
}

function keyClass(midi: number, statistics: Statistics): string {
  return `key ${isBlack(midi) ? "black" : "white"}${isKnown(statistics, midi) ? "" : " unknown"}`;
}

/** White keys share the width; a black one sits on the line between its neighbours. */
function positionOf(midi: number, low: number, whites: number): { left: string; width: string } {
  const before = Array.from({ length: midi - low }, (_, index) => low + index).filter((key) => !isBlack(key)).length;
  const width = 100 / whites;
  return isBlack(midi)
    ? { left: `${before * width - 0.31 * width}%`, width: `${0.62 * width}%` }
    : { left: `${before * width}%`, width: `${width}%` };
}
