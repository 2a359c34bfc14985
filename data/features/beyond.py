"""Finds pitched sound beyond the range of a tracker, which trackers take for another octave and are sure of.

Above: what sounds is a few lines of the spectrum, and hardly anything lies below them. Below: the wave repeats after a
period longer than the range allows, and after no shorter one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft
import soxr

from data.features.reading import Floats, Read

FRAME_SECONDS = 0.128
HOP_SECONDS = 0.064
BLOCK_FRAMES = 400  # measured at a time

LOWEST_LINE_HZ = 60.0  # hum and rumble below it do not count
LINES = 0.05  # of the spectrum hold
TONAL = 0.7  # of the energy, where the sound is pitched
LEAST_WITHIN = 0.02  # of the energy below the limit: what is pitched within the range has more
MARGIN = 1.02  # of a limit: a semitone's sixth, since tones waver

SLOW_RATE = 2_000  # Hz, of the audio whose periods are looked at
LOWEST_HZ = 24.0  # a 32-foot stop sounds at 16, and hardly anyone hears it as a pitch
ALIKE = 0.8  # likeness after a period (McLeod and Wyvill 2005), from -1 to 1
UNLIKE = 0.15  # by which it is more than after any shorter one


@dataclass(frozen=True)
class Beyond:
    """Pitched sound beyond a tracker's range.

    Attributes:
      above, below: [frames], bool.
      highest_hz, lowest_hz: its f0 at the 98th percentile above and the 2nd below, Hz; None where there is none.
    """

    above: npt.NDArray[np.bool_]
    below: npt.NDArray[np.bool_]
    highest_hz: float | None
    lowest_hz: float | None


def find_beyond(
    read: Read, samples: int, sample_rate: int, range_hz: tuple[float, float], frames: int, frame_rate: int
) -> Beyond:
    """Find the frames of a recording of any length whose pitch is beyond a tracker's range.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      sample_rate: Hz.
      range_hz: lowest and highest f0 that the tracker finds, Hz.
      frames: how many there are.
      frame_rate: Hz, of frames.
    """
    size, hop = round(FRAME_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    count = samples // hop + 1
    above, below = np.zeros(count), np.zeros(count)  # f0 in Hz, 0 where it is not beyond
    for first in range(0, count, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, count)
        block = read(first * hop - size // 2, (last - 1) * hop - size // 2 + size)
        above[first:last] = _above(block, sample_rate, size, hop, MARGIN * range_hz[1])
        below[first:last] = _below(block, sample_rate, last - first, range_hz[0] / MARGIN)
    nearest = np.minimum(np.round(np.arange(frames) / frame_rate / HOP_SECONDS).astype(int), count - 1)
    return Beyond(above[nearest] > 0, below[nearest] > 0, _percentile(above, 98), _percentile(below, 2))


def _percentile(hertz: npt.NDArray[np.float64], share: float) -> float | None:
    found = hertz[hertz > 0]
    return float(np.percentile(found, share)) if len(found) else None


def _above(block: Floats, sample_rate: int, size: int, hop: int, limit_hz: float) -> npt.NDArray[np.float64]:
    """Find the lowest strong line of each frame where all that is pitched lies above a limit; 0 elsewhere."""
    framed = np.lib.stride_tricks.sliding_window_view(block, size)[::hop]
    spectrum = scipy.fft.rfft(framed * np.hanning(size).astype(np.float32))
    hertz = np.arange(spectrum.shape[1]) * sample_rate / size
    power = (spectrum.real**2 + spectrum.imag**2)[:, hertz >= LOWEST_LINE_HZ]
    hertz = hertz[hertz >= LOWEST_LINE_HZ]
    whole = np.maximum(power.sum(axis=1), 1e-20)
    within = power[:, hertz < limit_hz].sum(axis=1)
    lines = max(1, round(LINES * len(hertz)))
    strongest = np.partition(power, -lines, axis=1)[:, -lines:].sum(axis=1)
    is_above = (within < LEAST_WITHIN * whole) & (strongest > TONAL * whole)
    return np.where(is_above, hertz[np.argmax(power > 0.1 * power.max(axis=1, keepdims=True), axis=1)], 0.0)


def _below(block: Floats, sample_rate: int, frames: int, limit_hz: float) -> npt.NDArray[np.float64]:
    """Find the f0 of each frame whose shortest period is longer than that of a limit; 0 elsewhere."""
    if limit_hz < LOWEST_HZ:
        return np.zeros(frames)
    slow = soxr.resample(block, sample_rate, SLOW_RATE)
    size, hop = round(FRAME_SECONDS * SLOW_RATE), round(HOP_SECONDS * SLOW_RATE)
    slow = np.pad(slow, (0, max(0, (frames - 1) * hop + size - len(slow))))
    framed = np.lib.stride_tricks.sliding_window_view(slow, size)[::hop][:frames].astype(np.float64)
    spectrum = scipy.fft.rfft(framed, 2 * size)
    product = scipy.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:, :size]
    square = np.concatenate([np.zeros((frames, 1)), np.cumsum(framed**2, axis=1)], axis=1)
    lags = np.arange(size)
    energy = square[:, size - lags] + square[:, -1:] - square[:, lags]
    alike = 2 * product / np.maximum(energy, 1e-20)
    shortest, longest = math.floor(SLOW_RATE / limit_hz), math.ceil(SLOW_RATE / LOWEST_HZ)
    apart = np.minimum.accumulate(alike[:, :longest], axis=1) < 0  # until the wave was unlike itself there is no period
    shorter = np.where(apart[:, : shortest - 1], alike[:, : shortest - 1], -1).max(axis=1)
    period = shortest + np.argmax(alike[:, shortest:longest], axis=1)
    best = alike[np.arange(frames), period]
    is_below = (best > ALIKE) & (best > shorter + UNLIKE) & (period > shortest) & (square[:, -1] > 1e-12)
    return np.where(is_below, SLOW_RATE / period, 0.0)
