/** Controls of the sound: those that apply to the chosen way to play. */

import { FLOOR_DB } from "swara-engine";
import { instrument } from "../store/instruments.ts";
import { chooseRange, RANGES, voiceRange } from "../store/register.ts";
import {
  attackSeconds,
  autotune,
  gateDb,
  glideSeconds,
  loudnessDb,
  mix,
  mode,
  octaves,
  releaseSeconds,
  room,
  vibratoCents,
  vibratoHz,
} from "../store/settings.ts";
import { percent, seconds, signed } from "./formatting.ts";
import { Slider } from "./slider.tsx";

export function Controls() {
  return (
    <section class="controls" aria-labelledby="controls-title">
      <h2 id="controls-title">Sound</h2>
      {mode.value === "keys" ? <KeyControls /> : <VoiceControls />}
      <Slider label="Room" setting={room} min={0} max={1} step={0.05} format={percent} />
    </section>
  );
}

function VoiceControls() {
  return (
    <>
      <Range />
      <Slider label="Octave" setting={octaves} min={-2} max={2} step={1} format={(value) => signed(value)} />
      <Loudness />
      <Slider
        label="Gate"
        setting={gateDb}
        min={FLOOR_DB}
        max={-20}
        step={1}
        format={(value) => `${signed(value)} dB`}
      />
      <Slider label="Autotune" setting={autotune} min={0} max={1} step={0.05} format={percent} />
      <Slider label="Voice or instrument" setting={mix} min={0} max={1} step={0.05} format={formatMix} />
    </>
  );
}

/** In one click the octave in which a voice begins; it is corrected by itself between the first notes. */
function Range() {
  return (
    <fieldset class="ranges">
      <legend>Your voice</legend>
      {RANGES.map((range) => (
        <label key={range}>
          <input
            type="radio"
            name="voice-range"
            checked={voiceRange.value === range}
            onChange={() => chooseRange(range, instrument.value)}
          />{" "}
          {range}
        </label>
      ))}
    </fieldset>
  );
}

function KeyControls() {
  return (
    <>
      <Loudness />
      <Slider label="Attack" setting={attackSeconds} min={0.005} max={0.6} step={0.005} format={seconds} />
      <Slider label="Release" setting={releaseSeconds} min={0.02} max={2} step={0.01} format={seconds} />
      <Slider label="Glide" setting={glideSeconds} min={0} max={0.5} step={0.01} format={seconds} />
      <Slider label="Vibrato" setting={vibratoCents} min={0} max={80} step={1} format={(value) => `${value} cents`} />
      <Slider
        label="Vibrato rate"
        setting={vibratoHz}
        min={2}
        max={9}
        step={0.1}
        format={(value) => `${value.toFixed(1)} Hz`}
      />
    </>
  );
}

function Loudness() {
  return (
    <Slider
      label="Loudness"
      setting={loudnessDb}
      min={-24}
      max={24}
      step={1}
      format={(value) => `${signed(value)} dB`}
    />
  );
}

function formatMix(share: number): string {
  if (share === 1) return "instrument";
  if (share === 0) return "voice";
  return `${percent(share)} instrument`;
}
