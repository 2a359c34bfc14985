/** Messages of a MIDI keyboard, as far as they matter to an instrument of one voice. */

export type MidiMessage =
  | { readonly kind: "on"; readonly midi: number; readonly velocity: number }
  | { readonly kind: "off"; readonly midi: number }
  | { readonly kind: "bend"; readonly semitones: number }
  | { readonly kind: "silence" };

/** Semitones of the bend wheel to either side, as General MIDI has it. */
const BEND_SEMITONES = 2;
const ALL_SOUND_OFF = 120;
const ALL_NOTES_OFF = 123;

/**
 * Reads one message, of any channel.
 *
 * @param data its bytes.
 * @returns null for a message that does not matter here. Velocity is 0 to 1.
 */
export function parseMidi(data: ArrayLike<number>): MidiMessage | null {
  const [status = 0, first = 0, second = 0] = Array.from(data);
  switch (status & 0xf0) {
    case 0x80:
      return { kind: "off", midi: first };
    case 0x90: // velocity 0 means off
      return second === 0 ? { kind: "off", midi: first } : { kind: "on", midi: first, velocity: second / 127 };
    case 0xb0:
      return first === ALL_SOUND_OFF || first === ALL_NOTES_OFF ? { kind: "silence" } : null;
    case 0xe0:
      return { kind: "bend", semitones: (BEND_SEMITONES * (((second << 7) | first) - 8192)) / 8192 };
    default:
      return null;
  }
}
