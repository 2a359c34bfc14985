"""Measures how loud a recording is where it sounds, so that what is measured of it need not depend on that."""

from __future__ import annotations

import math

import numpy as np
import scipy.ndimage

from data.features.reading import Read

FRAME_SECONDS = 0.032
BLOCK_FRAMES = 1000  # read at a time
LONGEST_CLICK = 2  # frames; what is louder than its surroundings for no longer than this is no sound of an instrument
RANGE_DB = 40.0  # frames further below the loudest one are silence
LOUD_PERCENTILE = 95.0


def loud_rms(read: Read, samples: int, sample_rate: int) -> float:
    """Measure the RMS of the loud parts: the 95th percentile of the frames that sound, whatever silence is between.

    Not the peak, which is a click's as often as not: clicks, however loud, change next to nothing.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      sample_rate: Hz.

    Returns:
      Linear; 0 where nothing sounds.
    """
    size = round(FRAME_SECONDS * sample_rate)
    energies = []
    for start in range(0, samples, BLOCK_FRAMES * size):
        frames = min(BLOCK_FRAMES, math.ceil((samples - start) / size))
        block = read(start, start + frames * size).reshape(frames, size)
        energies.append(np.einsum("fs,fs->f", block, block, dtype=np.float64))
    energy = scipy.ndimage.median_filter(np.concatenate(energies), 2 * LONGEST_CLICK + 1, mode="nearest")
    sounding = energy[energy >= energy.max() * 10 ** (-RANGE_DB / 10)]
    return math.sqrt(float(np.percentile(sounding, LOUD_PERCENTILE)) / size)
