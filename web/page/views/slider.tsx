/** A control with its name, its value in words, and a way back. */

import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";

interface Props {
  readonly label: string;
  readonly setting: Signal<number>;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The value in words and units. */
  readonly say: (value: number) => string;
}

export function Slider({ label, setting, min, max, step, say }: Props) {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{say(setting.value)}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={setting.value}
        aria-valuetext={say(setting.value)}
        onInput={(event) => {
          setting.value = event.currentTarget.valueAsNumber;
        }}
      />
    </div>
  );
}
