"""Measures how far up the sound of a recording goes: a telephone's to 3.4 kHz, a good microphone's to 20."""

from __future__ import annotations

import numpy as np

from data.features.reading import Read

WINDOW = 4096  # samples
MOST_WINDOWS = 64  # spread over the recording
RANGE_DB = 60.0  # below the strongest frequency; what is weaker is mostly noise
SMOOTHED = 9  # bins that are averaged


def reach(read: Read, samples: int, sample_rate: int) -> float | None:
    """Find the highest frequency that is within 60 dB of the strongest one, in the mean of windows over the recording.

    Args:
      read: returns samples by position.
      samples: their number.
      sample_rate: Hz.

    Returns:
      Hz; None where nothing sounds.
    """
    count = max(1, min(MOST_WINDOWS, samples // WINDOW))
    starts = np.linspace(0, max(0, samples - WINDOW), count).astype(int)
    power, shape = np.zeros(WINDOW // 2 + 1), np.hanning(WINDOW)
    for start in starts.tolist():
        power += np.abs(np.fft.rfft(read(start, start + WINDOW) * shape)) ** 2
    power = np.convolve(power, np.full(SMOOTHED, 1 / SMOOTHED), "same")
    if not power.max() > 0:
        return None
    highest = int(np.nonzero(power >= power.max() * 10 ** (-RANGE_DB / 10))[0][-1])
    return highest * sample_rate / WINDOW
