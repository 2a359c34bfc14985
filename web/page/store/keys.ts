/** Playing by keys: the screen's, the computer's and MIDI keyboards all go through here. */

import { effect, signal } from "@preact/signals";
import { keyAction } from "../keys/computer.ts";
import { parseMidi } from "../keys/midi.ts";
import { homeOctave, keyRange } from "../keys/range.ts";
import { instrument } from "./instruments.ts";
import { report, status } from "./notices.ts";
import { openStudio } from "./studio.ts";

/** MIDI numbers of the keys that are down. */
export const down = signal<ReadonlySet<number>>(new Set());
/** 0 to 1, of keys that do not feel how hard they are hit. */
export const velocity = signal(0.75);
/** MIDI number of the C at which the keys begin; null: where it suits the instrument. */
const octave = signal<number | null>(null);
/** Names of the MIDI keyboards that are connected; null before `connectMidi`. */
export const midiInputs = signal<readonly string[] | null>(null);

// Another instrument has another middle.
effect(() => {
  if (instrument.value) octave.value = null;
});

/** Finds the MIDI number of the C at which the keys begin. */
export function home(): number {
  const chosen = instrument.value;
  return octave.value ?? (chosen ? homeOctave(chosen.manifest.statistics) : 60);
}

export async function noteOn(midi: number, howHard: number = velocity.value): Promise<void> {
  down.value = new Set(down.value).add(midi);
  try {
    const { live } = await openStudio();
    if (down.value.has(midi)) live.noteOn(midi, howHard); // unless it was let go while the sound was being opened
  } catch (error) {
    down.value = new Set();
    report(error);
  }
}

export async function noteOff(midi: number): Promise<void> {
  if (!down.value.has(midi)) return;
  const left = new Set(down.value);
  left.delete(midi);
  down.value = left;
  try {
    (await openStudio()).live.noteOff(midi);
  } catch (error) {
    report(error);
  }
}

let bent = 0;

/** Bends the pitch. @param semitones up or down. */
export async function bend(semitones: number): Promise<void> {
  if (semitones === bent) return; // a wheel at rest needs no sound opened
  bent = semitones;
  try {
    (await openStudio()).live.bend(semitones);
  } catch (error) {
    report(error);
  }
}

/** Lets all keys go, as when the page is left. */
export async function allNotesOff(): Promise<void> {
  if (down.value.size === 0) return;
  down.value = new Set();
  (await openStudio()).live.allNotesOff();
}

/** Moves the keys by octaves, as far as the instrument goes. */
export function moveOctave(by: number): void {
  const chosen = instrument.value;
  if (!chosen) return;
  const { low, high } = keyRange(chosen.manifest.statistics);
  void allNotesOff();
  octave.value = Math.min(high - 11, Math.max(low, home() + 12 * by));
}

const held = new Map<string, number>();

/** Does what a key of the computer's keyboard is for when it goes down; false where it does nothing. */
export function computerKeyDown(code: string): boolean {
  const action = keyAction(code);
  if (!action || held.has(code)) return action !== null;
  if (action.kind === "octave") moveOctave(action.by);
  else if (action.kind === "velocity") velocity.value = Math.min(1, Math.max(0.125, velocity.value + action.by));
  else {
    const midi = home() + action.semitones;
    held.set(code, midi);
    void noteOn(midi);
  }
  return true;
}

export function computerKeyUp(code: string): void {
  const midi = held.get(code);
  if (midi === undefined) return;
  held.delete(code);
  void noteOff(midi);
}

/** Lets go what the computer's keyboard holds, as when the window loses it. */
export function releaseComputerKeys(): void {
  held.clear();
  void allNotesOff();
}

/** Requests the MIDI keyboards and plays from all of them, those that come later too. */
export async function connectMidi(): Promise<void> {
  try {
    if (!navigator.requestMIDIAccess)
      throw new Error("This browser has no Web MIDI: use the keys here, or another browser.");
    await openStudio();
    const access = await navigator.requestMIDIAccess().catch((cause: unknown) => {
      throw new Error("Web MIDI was refused. Allow it for this page, then try again.", { cause });
    });
    let connected: readonly MIDIInput[] = [];
    const connect = () => {
      const inputs = Array.from(access.inputs.values()).filter((input) => input.state !== "disconnected");
      if (connected.some((input) => !inputs.includes(input))) letGo();
      connected = inputs;
      for (const input of inputs) input.onmidimessage = ({ data }) => receiveMidi(data);
      midiInputs.value = inputs.map((input) => input.name ?? "a MIDI keyboard");
      status.value =
        midiInputs.value.length > 0 ? `Listening to ${midiInputs.value.join(", ")}.` : "No MIDI keyboard yet.";
    };
    access.onstatechange = connect;
    connect();
  } catch (error) {
    report(error);
  }
}

/** Releases keys and wheel: a keyboard that was unplugged never sends that they were. */
function letGo(): void {
  void allNotesOff();
  void bend(0);
}

function receiveMidi(data: Uint8Array | null): void {
  const message = data && parseMidi(data);
  if (!message) return;
  if (message.kind === "on") void noteOn(message.midi, message.velocity);
  else if (message.kind === "off") void noteOff(message.midi);
  else if (message.kind === "bend") void bend(message.semitones);
  else void allNotesOff();
}
