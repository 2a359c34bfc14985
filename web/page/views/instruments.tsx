/** All published instruments, one of them in hand. */

import { choose, entries, entry, isAtHand, loading, wanted } from "../store/instruments.ts";
import { microphone } from "../store/studio.ts";
import { bytes } from "./words.ts";

export function Instruments() {
  const listening = microphone.value !== "off";
  return (
    <fieldset class="instruments">
      <legend class="visually-hidden">Instrument</legend>
      <div class="instrument-row">
        {entries.value.map((one) => (
          <label key={one.name} class="instrument">
            <input
              type="radio"
              name="instrument"
              checked={one.name === wanted.value}
              disabled={listening && !isAtHand(one.name)}
              onChange={() => void choose(one.name)}
            />
            <span class="instrument-title">{one.title}</span>
            <span class="instrument-size">{bytes(one.download.controls?.gzip_bytes ?? 0)}</span>
          </label>
        ))}
      </div>
      <p class="about" aria-busy={loading.value}>
        {loading.value ? "Fetching the instrument…" : (entry.value?.description ?? "")}
      </p>
    </fieldset>
  );
}
