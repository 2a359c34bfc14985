/** What the player has set. Everything is remembered on this device, but for what only makes sense today. */

import { effect, type Signal, signal } from "@preact/signals";

export type Mode = "free" | "song" | "keys";

export const mode = signal<Mode>("free");
/** Headphones are on: no feedback can happen, so the guard is off duty. */
export const headphones = signal(false);

export const octaves = kept("octaves", 0);
export const loudnessDb = kept("loudnessDb", 0);
export const gateDb = kept("gateDb", -60);
export const mix = kept("mix", 1);
export const room = kept("room", 1);
export const autotune = kept("autotune", 0);
export const glideSeconds = kept("glideSeconds", 0.06);
export const vibratoCents = kept("vibratoCents", 15);
export const vibratoHz = kept("vibratoHz", 5.5);
export const attackSeconds = kept("attackSeconds", 0.03);
export const releaseSeconds = kept("releaseSeconds", 0.15);

const PREFIX = "swara.";

function kept(name: string, initial: number): Signal<number> {
  const setting = signal(read(name) ?? initial);
  effect(() => write(name, setting.value));
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

function write(name: string, value: number): void {
  try {
    localStorage.setItem(PREFIX + name, String(value));
  } catch {
    // no storage in this window
  }
}
