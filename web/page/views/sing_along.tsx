/** Singing along: a song, its drone, and the voice on its lane. */

import { useId, useMemo } from "preact/hooks";
import { drawSongLane } from "../drawing/song_lane.ts";
import { timeline } from "../song/score.ts";
import { SONGS } from "../song/songs.ts";
import { noteName } from "../sound/pitch.ts";
import { instrument } from "../store/instruments.ts";
import {
  type Accompaniment,
  accompaniment,
  audibleWhileSinging,
  chooseSong,
  droneOn,
  finish,
  judgement,
  score,
  sing,
  singing,
  songTime,
  sungSince,
  tonic,
} from "../store/singing.ts";
import { microphone } from "../store/studio.ts";
import { Canvas } from "./canvas.tsx";
import { percent, signed } from "./formatting.ts";
import { Headphones } from "./headphones.tsx";
import { Meters } from "./meters.tsx";
import { Switch } from "./switch.tsx";

/** How far back the sung pitch is drawn. */
const SUNG_SECONDS = 12;
const TONICS = Array.from({ length: 29 }, (_, index) => 43 + index); // G2 to B4

export function SingAlong() {
  const notes = useMemo(() => timeline(score.value, tonic.value), [score.value, tonic.value]);
  return (
    <>
      <Canvas
        label={`The melody of ${score.value.title} as it comes, and the pitch you sing`}
        class="roll"
        moving={singing.value}
        draw={(surface) => {
          const now = songTime() ?? 0;
          drawSongLane(surface, { notes, tonic: tonic.value, now, sung: sungSince(now - SUNG_SECONDS) });
        }}
      />
      <Transport />
      <Verdict />
      <Choices />
      <Meters input={true} />
      <Headphones />
    </>
  );
}

function Transport() {
  const ready = instrument.value !== null && (singing.value || microphone.value === "off");
  return (
    <div class="transport">
      <button type="button" class="primary" disabled={!ready} onClick={() => void (singing.value ? finish() : sing())}>
        {singing.value ? "End the song" : "Sing"}
      </button>
      <Switch setting={droneOn} disabled={singing.value}>
        Drone, to find your Sa
      </Switch>
    </div>
  );
}

function Verdict() {
  const made = judgement.value;
  if (!made) return null;
  if (Number.isNaN(made.inTune)) return <p class="verdict">No pitch was found in the song.</p>;
  return (
    <p class="verdict">
      In tune for {percent(made.inTune)} of what you sang; {signed(made.cents)} cents from the notes in the median.
    </p>
  );
}

function Choices() {
  const id = useId();
  return (
    <div class="choices">
      <label for={`${id}-song`}>Song</label>
      <select
        id={`${id}-song`}
        disabled={singing.value}
        onChange={(event) => {
          const chosen = SONGS[event.currentTarget.selectedIndex];
          if (chosen) chooseSong(chosen);
        }}
      >
        {SONGS.map((song) => (
          <option key={song.title} selected={song.title === score.value.title}>
            {song.title}
          </option>
        ))}
      </select>
      <label for={`${id}-tonic`}>Your Sa</label>
      <select
        id={`${id}-tonic`}
        disabled={singing.value}
        onChange={(event) => {
          tonic.value = Number(event.currentTarget.value);
        }}
      >
        {TONICS.map((midi) => (
          <option key={midi} value={midi} selected={midi === tonic.value}>
            {noteName(midi)}
          </option>
        ))}
      </select>
      <label for={`${id}-under`}>Under it</label>
      <select
        id={`${id}-under`}
        disabled={singing.value}
        onChange={(event) => {
          accompaniment.value = event.currentTarget.value as Accompaniment;
        }}
      >
        <option value="drone" selected={accompaniment.value === "drone"}>
          Tanpura
        </option>
        <option value="metronome" selected={accompaniment.value === "metronome"}>
          Metronome
        </option>
      </select>
      <Switch setting={audibleWhileSinging} disabled={singing.value}>
        Hear the instrument while singing
      </Switch>
      <p class="hint">{score.value.origin}</p>
    </div>
  );
}
