"""Takes out what lies below 20 Hz, block by block: an offset of the converter, rumble, steps on the floor.

No instrument plays there and no one hears it, yet it would count in levels, losses and autocorrelations. The engine in
the browser has the same filter (`web/engine/src/filters/high_pass.ts`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.signal

CUTOFF_HZ = 20.0  # 3 dB down; 32 dB at 8 Hz, 0.2 dB at 29 Hz, the lowest note of a contrabassoon
ORDER = 4  # of a Butterworth filter

Floats = npt.NDArray[np.float32]


class HighPass:
    """Filters a stream of samples. It begins as if the first sample had gone on for ever before it: no step there.

    Args:
      sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sections = scipy.signal.butter(ORDER, CUTOFF_HZ, "highpass", fs=sample_rate, output="sos")
        self._state: npt.NDArray[np.float64] | None = None

    def __call__(self, audio: Floats) -> Floats:
        """Filter the next samples, [samples]; as many come back."""
        if not len(audio):
            return audio
        if self._state is None:
            self._state = scipy.signal.sosfilt_zi(self._sections) * float(audio[0])
        filtered, self._state = scipy.signal.sosfilt(self._sections, audio.astype(np.float64), zi=self._state)
        return filtered.astype(np.float32)
