/** A control with its name and its value. */

import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";

interface Props {
  readonly label: string;
  readonly setting: Signal<number>;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Formats the value with its unit. */
  readonly format: (value: number) => string;
}

export function Slider({ label, setting, min, max, step, format }: Props) {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{format(setting.value)}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={setting.value}
        aria-valuetext={format(setting.value)}
        onInput={(event) => {
          setting.value = event.currentTarget.valueAsNumber;
        }}
      />
    </div>
  );
}
