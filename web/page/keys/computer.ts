/** A computer's keyboard as a piano: by the position of a key, so that it is the same on every layout. */

/** Semitones above the C on the left; the middle row has the white keys, the row above it the black keys. */
const SEMITONES: Readonly<Record<string, number>> = {
  KeyA: 0,
  KeyW: 1,
  KeyS: 2,
  KeyE: 3,
  KeyD: 4,
  KeyF: 5,
  KeyT: 6,
  KeyG: 7,
  KeyY: 8,
  KeyH: 9,
  KeyU: 10,
  KeyJ: 11,
  KeyK: 12,
  KeyO: 13,
  KeyL: 14,
  KeyP: 15,
  Semicolon: 16,
};

/** Action of a key. */
export type KeyAction =
  | { readonly kind: "note"; readonly semitones: number }
  | { readonly kind: "octave"; readonly by: number }
  | { readonly kind: "velocity"; readonly by: number };

/** Looks up the action of a `KeyboardEvent.code`, or null. */
export function keyAction(code: string): KeyAction | null {
  const semitones = SEMITONES[code];
  if (semitones !== undefined) return { kind: "note", semitones };
  if (code === "KeyZ" || code === "KeyX") return { kind: "octave", by: code === "KeyX" ? 1 : -1 };
  if (code === "KeyC" || code === "KeyV") return { kind: "velocity", by: code === "KeyV" ? 0.125 : -0.125 };
  return null;
}

/** Looks up the letter that is printed on a key which plays a note, on most keyboards; "" where none does. */
export function letterOf(semitones: number): string {
  const code = Object.keys(SEMITONES).find((key) => SEMITONES[key] === semitones) ?? "";
  return code === "Semicolon" ? ";" : code.replace("Key", "");
}
