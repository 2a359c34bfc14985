/** The take: drawn, played before and after, downloaded. */

import { useEffect, useRef } from "preact/hooks";
import { drawPlayhead, drawTake } from "../drawing/take_view.ts";
import { chooseSide, play, playing, position, side, stop } from "../store/player.ts";
import { canShare, download, share } from "../store/saving.ts";
import { microphone } from "../store/studio.ts";
import { progress, type Rendered, rendered, type Side, take } from "../store/take.ts";
import { Canvas } from "./canvas.tsx";
import { milliseconds, percent } from "./formatting.ts";

export function TakePanel() {
  const made = rendered.value;
  const section = useRef<HTMLElement>(null);
  // A take that was made below the screen's edge would go unseen.
  useEffect(() => section.current?.scrollIntoView({ block: "nearest" }), [take.value, made === null]);
  return (
    <section ref={section} class="take" aria-labelledby="take-title">
      <div class="take-head">
        <h2 id="take-title">{take.value?.title}</h2>
        <p class="take-figures">{made ? describe(made) : ""}</p>
      </div>
      {progress.value !== null && (
        <progress aria-label="Turning the take into the instrument" max={1} value={progress.value} />
      )}
      {made && <Player made={made} />}
    </section>
  );
}

function Player({ made }: { readonly made: Rendered }) {
  return (
    <>
      <div class="take-view">
        <Canvas
          label="Waveform of the take; over it the pitch of the voice, thin, and of the instrument, bold"
          class="take-drawing"
          moving={false}
          draw={(surface) => drawTake(surface, made, side.value)}
        />
        <Canvas
          label="Where the take plays"
          class="playhead"
          moving={playing.value}
          draw={(surface) => drawPlayhead(surface, made, position())}
        />
      </div>
      <div class="transport">
        <button
          type="button"
          class="primary"
          aria-pressed={playing.value}
          disabled={microphone.value !== "off"}
          onClick={() => (playing.value ? stop() : void play())}
        >
          {playing.value ? "Stop" : "Play"}
        </button>
        {made.only !== "after" && <Sides made={made} />}
        <button type="button" onClick={() => download(made, side.value)}>
          Download WAV
        </button>
        {canShare() && (
          <button type="button" onClick={() => void share(made, side.value)}>
            Share
          </button>
        )}
      </div>
    </>
  );
}

function Sides({ made }: { readonly made: Rendered }) {
  const { title } = made.instrument.manifest.instrument;
  const sides: readonly { readonly value: Side; readonly label: string }[] = [
    { value: "before", label: "Before: voice" },
    { value: "after", label: `After: ${title.toLowerCase()}` },
  ];
  return (
    <fieldset class="sides">
      <legend class="visually-hidden">What is played</legend>
      {sides.map(({ value, label }) => (
        <label key={value}>
          <input
            type="radio"
            name="side"
            checked={side.value === value}
            disabled={made.only !== null && made.only !== value}
            onChange={() => chooseSide(value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

function describe(made: Rendered): string {
  const length = made.take.audio.length / made.take.sampleRate;
  if (!made.played) return `${length.toFixed(1)} s`;
  const shift = made.played.octaveShift;
  const moved = shift === 0 ? "" : ` · ${Math.abs(shift)} oct ${shift > 0 ? "up" : "down"}`;
  const notes = percent(made.played.noteOn.reduce((sum, on) => sum + on, 0) / made.played.noteOn.length);
  const times = `analysed in ${milliseconds(made.analysisMs)}, played in ${milliseconds(made.renderMs)}`;
  return `${length.toFixed(1)} s · ${notes} notes${moved} · ${times}`;
}
