/** Pitch in Hz and in MIDI semitones, and the confidence from which a measured pitch is trusted (`common/pitch.py`). */

/** A frame is voiced from this confidence on. */
export const VOICED_CONFIDENCE = 0.5;

/** Converts Hz to MIDI semitones: 69 is 440 Hz; 0 Hz and less becomes 0. */
export function hzToMidi(hz: number): number {
  return hz > 0 ? 69 + 12 * Math.log2(hz / 440) : 0;
}

/** Converts MIDI semitones to Hz. */
export function midiToHz(midi: number): number {
  return 440 * 2 ** ((midi - 69) / 12);
}
