/** Tabs as the ARIA practices describe them: one stop of the Tab key, arrows between them. */

import type { Signal } from "@preact/signals";

interface Props<T extends string> {
  readonly label: string;
  readonly tabs: readonly { readonly value: T; readonly label: string }[];
  readonly chosen: Signal<T>;
  readonly disabled: boolean;
}

export function Tabs<T extends string>({ label, tabs, chosen, disabled }: Props<T>) {
  const turn = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined || disabled) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.value === chosen.value);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (!next) return;
    chosen.value = next.value;
    document.getElementById(`tab-${next.value}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={turn}>
      {tabs.map((tab) => (
        <button
          type="button"
          key={tab.value}
          id={`tab-${tab.value}`}
          role="tab"
          aria-selected={chosen.value === tab.value}
          aria-controls={`panel-${tab.value}`}
          tabIndex={chosen.value === tab.value ? 0 : -1}
          disabled={disabled && chosen.value !== tab.value}
          onClick={() => {
            chosen.value = tab.value;
          }}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}
