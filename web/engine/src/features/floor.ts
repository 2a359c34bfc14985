/** The floor of all levels, as training had it (`common/loudness.py`). */

/** dB of full scale: loudness and RMS energy never lie below it. */
export const FLOOR_DB = -80;
/** The same, linear. */
export const FLOOR_AMPLITUDE = 1e-4;
