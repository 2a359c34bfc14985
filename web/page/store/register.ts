/** The octave in which a voice begins: that of the last time with this instrument, or that of a low or high voice. */

import { signal } from "@preact/signals";
import { type Instrument, startingOctaves, type VoiceRange } from "swara-engine";

const PREFIX = "swara.octaves.";
const RANGE = "swara.voice";
export const RANGES: readonly VoiceRange[] = ["low", "middle", "high"];

export const voiceRange = signal<VoiceRange>(storedRange());
/** Octaves by which a voice is moved at first. */
export const startOctaves = signal<number | null>(null);

/** Begins a voice on an instrument. */
export function beginVoice({ manifest }: Instrument): void {
  const { statistics, instrument } = manifest;
  startOctaves.value = remembered(instrument.name) ?? startingOctaves(statistics, voiceRange.peek());
}

/** Takes the player's word for the range of the voice: what was remembered of other voices no longer counts. */
export function chooseRange(range: VoiceRange, instrument: Instrument | null): void {
  voiceRange.value = range;
  try {
    localStorage.setItem(RANGE, range);
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // no storage in this window
  }
  if (instrument) beginVoice(instrument);
}

/** Remembers the octaves in which a voice was played on an instrument. */
export function rememberOctaves({ manifest }: Instrument, octaves: number): void {
  if (octaves === startOctaves.peek()) return;
  try {
    localStorage.setItem(PREFIX + manifest.instrument.name, String(octaves));
  } catch {
    // no storage in this window
  }
}

function remembered(name: string): number | null {
  try {
    const octaves = Number.parseInt(localStorage.getItem(PREFIX + name) ?? "", 10);
    return Number.isFinite(octaves) ? octaves : null;
  } catch {
    return null; // no storage in this window
  }
}

function storedRange(): VoiceRange {
  try {
    return RANGES.find((range) => range === localStorage.getItem(RANGE)) ?? "middle";
  } catch {
    return "middle"; // no storage in this window
  }
}
