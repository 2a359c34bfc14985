/** The page: an instrument to choose, three ways to play it, and what came out. */

import { useEffect } from "preact/hooks";
import { absent, entry, instrument } from "../store/instruments.ts";
import { problem, status } from "../store/notices.ts";
import { type Mode, mode } from "../store/settings.ts";
import { openFile } from "../store/sources.ts";
import { microphone, recording } from "../store/studio.ts";
import { rendered, take } from "../store/take.ts";
import { Controls } from "./controls.tsx";
import { Credits } from "./credits.tsx";
import { Figures } from "./figures.tsx";
import { Free } from "./free.tsx";
import { Instruments } from "./instruments.tsx";
import { Keys } from "./keys.tsx";
import { Mark } from "./mark.tsx";
import { SingAlong } from "./sing_along.tsx";
import { Tabs } from "./tabs.tsx";
import { TakePanel } from "./take_panel.tsx";
import { Update } from "./update.tsx";

const MODES: readonly { readonly value: Mode; readonly label: string }[] = [
  { value: "free", label: "Free" },
  { value: "song", label: "Sing along" },
  { value: "keys", label: "Keys" },
];

export function App() {
  useDroppedFiles();
  const busy = microphone.value !== "off" || recording.value !== null;
  return (
    <>
      <header class="masthead">
        <a class="brand" href="./">
          <Mark />
          Swara
        </a>
        <p class={microphone.value === "on" ? "promise listening" : "promise"}>
          <span class="promise-dot" aria-hidden="true" />
          {microphone.value === "on" ? "Listening. Nothing leaves this device." : "Nothing leaves this device."}
        </p>
      </header>
      <main>
        <h1>Sing, and hear {withArticle(entry.value?.title)}.</h1>
        {absent.value === "" ? <Instruments /> : <Absent />}
        <Tabs label="Ways to play" tabs={MODES} chosen={mode} disabled={busy} />
        <div class="desk">
          <div class="stage" role="tabpanel" id={`panel-${mode.value}`} aria-labelledby={`tab-${mode.value}`}>
            {mode.value === "free" && <Free />}
            {mode.value === "song" && <SingAlong />}
            {mode.value === "keys" && <Keys />}
            <Notices />
            {(rendered.value || take.value) && <TakePanel />}
          </div>
          <Controls />
        </div>
      </main>
      <footer>
        <Figures />
        {instrument.value && <Credits manifest={instrument.value.manifest} />}
        <Update />
      </footer>
    </>
  );
}

function Notices() {
  return (
    <div class="notices">
      <p class="status" role="status" aria-live="polite">
        {status.value}
      </p>
      {problem.value !== "" && (
        <div class="problem" role="alert">
          <p>{problem.value}</p>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              problem.value = "";
            }}
          >
            Dismiss
          </button>
        </div>
      )}
    </div>
  );
}

function Absent() {
  return (
    <div class="problem" role="alert">
      <p>
        There is no instrument to play: {absent.value}. Publish one into <code>pushed/</code> beside this page.
      </p>
    </div>
  );
}

/** E.g. `an oboe`. */
function withArticle(title = "instrument"): string {
  const name = title.toLowerCase();
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

/** A sound file can be dropped anywhere. */
function useDroppedFiles(): void {
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file && microphone.value === "off") void openFile(file);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, []);
}
