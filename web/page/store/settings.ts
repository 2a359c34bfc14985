/** The player's settings. They are kept on this device, but for those that only make sense today. */

import { effect, type Signal, signal } from "@preact/signals";
import { DEFAULT_SETTINGS } from "swara-engine";

export type Mode = "free" | "song" | "keys";

export const mode = signal<Mode>("free");
/** Headphones are on: no feedback can happen, so the guard is off duty. */
export const headphones = signal(false);

export const octaves = kept("octaves", DEFAULT_SETTINGS.octaves);
export const loudnessDb = kept("loudnessDb", DEFAULT_SETTINGS.loudnessDb);
export const gateDb = kept("gateDb", DEFAULT_SETTINGS.gateDb);
export const mix = kept("mix", DEFAULT_SETTINGS.mix);
export const room = kept("room", DEFAULT_SETTINGS.room);
export const autotune = kept("autotune", DEFAULT_SETTINGS.autotune);
export const glideSeconds = kept("glideSeconds", DEFAULT_SETTINGS.glideSeconds);
export const vibratoCents = kept("vibratoCents", DEFAULT_SETTINGS.vibratoCents);
export const vibratoHz = kept("vibratoHz", DEFAULT_SETTINGS.vibratoHz);
export const attackSeconds = kept("attackSeconds", DEFAULT_SETTINGS.attackSeconds);
export const releaseSeconds = kept("releaseSeconds", DEFAULT_SETTINGS.releaseSeconds);

const PREFIX = "swara.";

function kept(name: string, initial: number): Signal<number> {
  const setting = signal(read(name) ?? initial);
  effect(() => write(name, setting.value, initial));
  return setting;
}

function read(name: string): number | null {
  try {
    const stored = Number.parseFloat(localStorage.getItem(PREFIX + name) ?? "");
    return Number.isFinite(stored) ? stored : null;
  } catch {
    return null; // no storage in this window
  }
}

/** Stores a value, but not an initial one, so that a newer page may begin elsewhere. */
function write(name: string, value: number, initial: number): void {
  try {
    if (value === initial) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, String(value));
  } catch {
    // no storage in this window
  }
}
