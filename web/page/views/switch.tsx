/** Something that is on or off. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface Props {
  readonly setting: Signal<boolean>;
  readonly children: ComponentChildren;
  readonly disabled?: boolean;
}

export function Switch({ setting, children, disabled = false }: Props) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={setting.value}
        checked={setting.value}
        disabled={disabled}
        onChange={(event) => {
          setting.value = event.currentTarget.checked;
        }}
      />
      <span>{children}</span>
    </label>
  );
}
