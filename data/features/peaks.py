"""Spectral peaks of a recording and the f0 that explains them: polyphony and octave errors are found by these.

A long window (128 ms) resolves neighbouring notes; overlapping it fourfold follows notes of a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import soxr

from data.features.reading import Floats, Read

RATE = 16_000  # Hz
SIZE, HOP = 2048, 512  # samples: 128 ms, every 32 ms
FRAME_SECONDS = HOP / RATE
HERTZ_PER_BIN = RATE / SIZE
LOWEST_BIN, HIGHEST_BIN = 10, 512  # 78 to 4000 Hz
BINS = HIGHEST_BIN + 2
CHUNK_FRAMES = 940  # 30 s at a time

FLOOR_BINS = 32  # the noise floor is the median over so many
TONAL_DB = 10.0  # above the floor, a local maximum is a peak
AROUND_SECONDS = (-0.048, -0.024, 0.0, 0.024, 0.048)  # f0 anywhere within the window may explain a peak
BIN_TOLERANCE, RELATIVE_TOLERANCE = 0.8, 0.008  # of a harmonic: bins, and a share of its frequency (14 cents)
MOST_SLOPE = 0.04  # a steep glide may smear a harmonic by this share of its frequency


@dataclass(frozen=True)
class Peaks:
    """Spectral peaks of a stretch of frames.

    Attributes:
      first_frame: of the stretch; frame n is centred on n * FRAME_SECONDS.
      frames: number of frames in the stretch.
      frame: [peaks], counted from `first_frame`, ascending.
      bin: [peaks], index into the spectrum.
      level: [peaks], dB, about 0 for a full-scale sine.
      hertz: [peaks], frequency, finer than a bin.
    """

    first_frame: int
    frames: int
    frame: npt.NDArray[np.intp]
    bin: npt.NDArray[np.intp]
    level: Floats
    hertz: Floats

    @property
    def power(self) -> Floats:
        """Power of the peaks, [peaks], linear."""
        power: Floats = np.power(10, self.level / 10)
        return power

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Times in s on which the frames are centred, [frames]."""
        return ((self.first_frame + np.arange(self.frames)) * FRAME_SECONDS).astype(np.float64)

    def energy(self, chosen: npt.NDArray[Any] | bool = True) -> npt.NDArray[np.float64]:
        """Sum the energy of chosen peaks, a mask or weights [peaks] or all of them, in every frame. Shape [frames]."""
        return np.bincount(self.frame, self.power * chosen, self.frames).astype(np.float64)


def find_peaks(read: Read, samples: int, sample_rate: int) -> Iterator[Peaks]:
    """Find the peaks of a recording of any length, stretch by stretch.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      sample_rate: Hz.
    """
    frames = int(samples / sample_rate * RATE) // HOP + 1
    for first in range(0, frames, CHUNK_FRAMES):
        last = min(first + CHUNK_FRAMES, frames)
        yield _peaks(_audio(read, sample_rate, first, last), first, last - first)


def explained_by(peaks: Peaks, around: npt.NDArray[np.float64], divisor: int = 1) -> npt.NDArray[np.bool_]:
    """Find the peaks that are harmonics of f0 / divisor: a mask of shape [peaks].

    Args:
      peaks: of a stretch.
      around: [offsets, frames], log2 of f0 in Hz at AROUND_SECONDS from the centre of every frame.
      divisor: a whole number.
    """
    smear = _smear(around)
    explained = np.zeros(len(peaks.frame), bool)
    for f0, slope in zip((2**around / divisor).astype(np.float32), smear.astype(np.float32), strict=True):
        fundamental = f0[peaks.frame]
        harmonic = np.maximum(1, np.round(peaks.hertz / fundamental)) * fundamental
        allowed = BIN_TOLERANCE * HERTZ_PER_BIN + harmonic * (RELATIVE_TOLERANCE + slope)[peaks.frame]
        explained |= np.abs(peaks.hertz - harmonic) <= allowed
    return explained


def explained_by_chance(peaks: Peaks, around: npt.NDArray[np.float64], divisor: int = 1) -> npt.NDArray[np.float64]:
    """Estimate how likely a peak that is no harmonic passes for one, 0 to 1: the share of its surroundings that do.

    Harmonics of a low f0 lie close together, and high ones of a moving f0 are wide: there hardly any peak is none.

    Args:
      peaks: of a stretch.
      around: as for `explained_by`.
      divisor: a whole number.

    Returns:
      [peaks].
    """
    f0 = 2**around / divisor
    middle, moved = f0[len(f0) // 2], np.ptp(f0, axis=0)
    smear = _smear(around).max(axis=0)
    width = (2 * (RELATIVE_TOLERANCE + smear) + moved / middle)[peaks.frame] * peaks.hertz
    return np.minimum(1.0, (width + 2 * BIN_TOLERANCE * HERTZ_PER_BIN) / middle[peaks.frame])


def _smear(around: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compute the share of its frequency by which a glide smears a harmonic, as `around`."""
    return np.minimum(0.69 * np.abs(np.gradient(around, axis=0)), MOST_SLOPE)


def f0_around(peaks: Peaks, f0_hz: npt.ArrayLike, frame_seconds: float) -> npt.NDArray[np.float64]:
    """Interpolate log2 of f0 in Hz at AROUND_SECONDS from every frame of a stretch.

    Args:
      peaks: of the stretch.
      f0_hz: [f0 frames], Hz, positive.
      frame_seconds: s between f0 frames.

    Returns:
      [offsets, frames].
    """
    octaves = np.log2(f0_hz)
    times = np.arange(len(octaves)) * frame_seconds
    return np.stack([np.interp(peaks.seconds + offset, times, octaves) for offset in AROUND_SECONDS])


def _audio(read: Read, sample_rate: int, first: int, last: int) -> Floats:
    """Read the audio under frames `first` to `last`, at RATE."""
    start, stop = first * HOP - SIZE // 2, (last - 1) * HOP + SIZE // 2
    if sample_rate == RATE:
        return read(start, stop)
    audio: Floats = soxr.resample(read(start * sample_rate // RATE, stop * sample_rate // RATE), sample_rate, RATE)
    return np.pad(audio, (0, max(0, stop - start - len(audio))))[: stop - start]


def _peaks(audio: Floats, first_frame: int, frames: int) -> Peaks:
    """Find local maxima that stand out of the floor, with frequencies between bins (parabola through three levels)."""
    window = np.hanning(SIZE + 1)[:SIZE].astype(np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(audio, SIZE)[::HOP]
    spectrum = scipy.fft.rfft(framed * window)[:, :BINS]
    level = 10 * np.log10((spectrum.real**2 + spectrum.imag**2) * np.float32(4 / SIZE**2) + np.float32(1e-14))
    body = level[:, LOWEST_BIN:HIGHEST_BIN]
    peak = body - _floor(level)[:, LOWEST_BIN:HIGHEST_BIN] > TONAL_DB
    for offset in (-2, -1, 1, 2):
        peak &= body > level[:, LOWEST_BIN + offset : HIGHEST_BIN + offset]
    frame, index = np.nonzero(peak)
    index = index + LOWEST_BIN
    below, top, above = level[frame, index - 1], level[frame, index], level[frame, index + 1]
    hertz = (index + 0.5 * (below - above) / (below - 2 * top + above)) * HERTZ_PER_BIN
    return Peaks(first_frame, frames, frame, index, top, hertz.astype(np.float32))


def _floor(level: Floats) -> Floats:
    """Estimate the noise floor in dB, smooth over frequency. Shape as `level`."""
    blocks = HIGHEST_BIN // FLOOR_BINS
    medians = np.median(level[:, : blocks * FLOOR_BINS].reshape(len(level), blocks, FLOOR_BINS), axis=2)
    position = np.clip((np.arange(BINS) + 0.5) / FLOOR_BINS - 0.5, 0, blocks - 1)
    low = np.minimum(position.astype(int), blocks - 2)
    share = (position - low).astype(np.float32)
    return medians[:, low] * (1 - share) + medians[:, low + 1] * share
