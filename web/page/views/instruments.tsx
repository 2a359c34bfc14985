/** All published instruments, one of them in hand. */

import { choose, entries, entry, isAtHand, loading, wanted } from "../store/instruments.ts";
import { microphone } from "../store/studio.ts";
import { bytes } from "./formatting.ts";

export function Instruments() {
  const listening = microphone.value !== "off";
  return (
    <fieldset class="instruments">
      <legend class="visually-hidden">Instrument</legend>
      <div class="instrument-row">
        {entries.value.map((listed) => (
          <label key={listed.name} class="instrument">
            <input
              type="radio"
              name="instrument"
              checked={listed.name === wanted.value}
              disabled={listening && !isAtHand(listed.name)}
              onChange={() => void choose(listed.name)}
            />
            <span class="instrument-title">{listed.title}</span>
            <span class="instrument-size">{bytes(listed.download.controls?.gzip_bytes ?? 0)}</span>
          </label>
        ))}
      </div>
      <p class="about" aria-busy={loading.value}>
        {loading.value ? "Fetching the instrument…" : (entry.value?.description ?? "")}
      </p>
    </fieldset>
  );
}
