"""Tells whether more than one pitched instrument sounds at once, given the f0 of the one that the tracker follows.

Spectral peaks that are harmonics of f0 are explained by it. So are harmonics of f0's subharmonics, where those explain
much more, since trackers err by whole multiples. What stays unexplained may be the tail of an earlier note, in a room
or on an open string: the levels of explained peaks are remembered, and fall as tails do, so that only a peak as loud as
it was when it was played counts. A frame has a second pitch where such peaks hold on for more than a moment and carry
a few per cent of the energy of all peaks.

A long window resolves neighbouring notes; overlapping it fourfold follows notes of a tenth of a second.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.ndimage
import soxr

Floats = npt.NDArray[np.float32]
Read = Callable[[int, int], Floats]  # (start, stop) -> samples, zeros outside the recording

RATE = 16_000  # Hz
SIZE, HOP = 2048, 512  # samples: 128 ms, every 32 ms
HERTZ_PER_BIN = RATE / SIZE
LOWEST_BIN, HIGHEST_BIN = 10, 512  # 78 to 4000 Hz
CHUNK_FRAMES = 940  # 30 s at a time
FLOOR_BINS = 32  # the noise floor is the median over so many

TONAL_DB = 10.0  # above the floor, a local maximum is a peak
AROUND_SECONDS = (-0.048, -0.024, 0.0, 0.024, 0.048)  # f0 anywhere within the window explains
BIN_TOLERANCE, RELATIVE_TOLERANCE = 0.8, 0.008  # of a harmonic: bins, and a share of its frequency (14 cents)
MOST_SLOPE = 0.04  # a steep glide may smear a harmonic by this share of its frequency
SUBHARMONICS = (1, 2, 3, 4)  # f0 / n, taken where n times less stays unexplained
TAIL_DB_PER_SECOND = 12.0  # no tail falls slower than this (RT60 of 5 s)
NEAR_DB = 3.0  # a peak this far below the remembered level is the same note, still held
HOLD_FRAMES = 2  # a peak must stay so long
LEAST_ENERGY = 0.03  # of all peaks in a frame
ACTIVE_DB = 30.0  # frames further below the loud level do not count
STRETCH_SECONDS = 5.0  # long enough to hear what is meant
SILENCE_DB = -140.0


@dataclass(frozen=True)
class Polyphony:
    """How much of a recording has a second pitch.

    Attributes:
      share: of the frames with a trusted pitch.
      seconds: in all.
      at_seconds: where the stretch begins that has most of it.
    """

    share: float
    seconds: float
    at_seconds: float


@dataclass(frozen=True)
class _Peaks:
    """Spectral peaks of a stretch of frames, each [peaks]: frame, bin, level in dB, frequency in Hz."""

    frame: npt.NDArray[np.intp]
    bin: npt.NDArray[np.intp]
    level: Floats
    hertz: Floats


def measure_polyphony(
    read: Read, samples: int, sample_rate: int, f0_hz: Floats, f0_confidence: Floats, frame_rate: int, voiced: float
) -> Polyphony:
    """Looks for a second pitch beside f0.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      sample_rate: Hz.
      f0_hz: [frames], Hz, of the pitch that was tracked, continuous.
      f0_confidence: [frames].
      frame_rate: Hz.
      voiced: confidence above which f0 is trusted.
    """
    frames = int(samples / sample_rate * RATE) // HOP + 1
    at = np.arange(frames) * HOP / RATE
    times = np.arange(len(f0_hz)) / frame_rate
    octaves = np.log2(f0_hz)
    around = np.stack([np.interp(at + offset, times, octaves) for offset in AROUND_SECONDS])  # [offsets, frames]
    second, energy = np.empty(frames), np.empty(frames)
    memory = _Memory()
    for first in range(0, frames, CHUNK_FRAMES):
        last = min(first + CHUNK_FRAMES, frames)
        peaks = _peaks(_audio(read, sample_rate, first, last))
        explained = _explained(peaks, around[:, first:last])
        power = 10 ** (peaks.level / 10)
        energy[first:last] = np.bincount(peaks.frame, power, last - first)
        second[first:last] = np.bincount(peaks.frame, power * memory.held(peaks, explained, last - first), last - first)
    level = 10 * np.log10(energy + 1e-12)
    counted = (level > np.percentile(level, 95) - ACTIVE_DB) & (np.interp(at, times, f0_confidence) > voiced)
    found = counted & (second > LEAST_ENERGY * energy)
    dense = np.convolve(found, np.ones(round(STRETCH_SECONDS * RATE / HOP)))
    begin = max(0, int(np.argmax(dense)) - round(STRETCH_SECONDS * RATE / HOP) + 1)
    return Polyphony(
        share=float(found.sum() / max(1, counted.sum())),
        seconds=float(found.sum()) * HOP / RATE,
        at_seconds=float(at[begin]),
    )


def _audio(read: Read, sample_rate: int, first: int, last: int) -> Floats:
    """What frames `first` to `last` hear, at RATE: frame n is centred on sample n * HOP."""
    start, stop = first * HOP - SIZE // 2, (last - 1) * HOP + SIZE // 2
    if sample_rate == RATE:
        return read(start, stop)
    audio: Floats = soxr.resample(read(start * sample_rate // RATE, stop * sample_rate // RATE), sample_rate, RATE)
    return np.pad(audio, (0, max(0, stop - start - len(audio))))[: stop - start]


def _peaks(audio: Floats) -> _Peaks:
    """Local maxima that stand out of the floor, with frequencies between bins (parabola through three levels)."""
    window = np.hanning(SIZE + 1)[:SIZE].astype(np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(audio, SIZE)[::HOP]
    spectrum = scipy.fft.rfft(framed * window)[:, : HIGHEST_BIN + 2]
    level = 10 * np.log10((spectrum.real**2 + spectrum.imag**2) * (4 / SIZE**2) + 1e-14)  # a full-scale sine: about 0
    body = level[:, LOWEST_BIN:HIGHEST_BIN]
    peak = (body - _floor(level)[:, LOWEST_BIN:HIGHEST_BIN] > TONAL_DB).astype(bool)
    for offset in (-2, -1, 1, 2):
        peak &= body > level[:, LOWEST_BIN + offset : HIGHEST_BIN + offset]
    frame, place = np.nonzero(peak)
    place = place + LOWEST_BIN
    below, top, above = level[frame, place - 1], level[frame, place], level[frame, place + 1]
    hertz = (place + 0.5 * (below - above) / (below - 2 * top + above)) * HERTZ_PER_BIN
    return _Peaks(frame, place, top, hertz.astype(np.float32))


def _floor(level: Floats) -> Floats:
    """The noise floor in dB, smooth over frequency. Shape as `level`."""
    blocks = HIGHEST_BIN // FLOOR_BINS
    medians = np.median(level[:, : blocks * FLOOR_BINS].reshape(len(level), blocks, FLOOR_BINS), axis=2)
    place = np.clip((np.arange(level.shape[1]) + 0.5) / FLOOR_BINS - 0.5, 0, blocks - 1)
    low = np.minimum(place.astype(int), blocks - 2)
    share = (place - low).astype(np.float32)
    return medians[:, low] * (1 - share) + medians[:, low + 1] * share


def _explained(peaks: _Peaks, around: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which peaks are harmonics of f0 or of the subharmonic that a frame takes. Shape [peaks].

    Args:
      peaks: of a stretch.
      around: [offsets, frames], log2 of f0 in Hz.
    """
    frames = around.shape[1]
    smear = np.minimum(0.69 * np.abs(np.gradient(around, axis=0)), MOST_SLOPE)
    power = 10 ** (peaks.level / 10)
    best, least = np.zeros(len(peaks.frame), bool), np.full(frames, np.inf)
    for divisor in SUBHARMONICS:
        explained = np.zeros(len(peaks.frame), bool)
        for octaves, slope in zip(around, smear, strict=True):
            f0 = (2**octaves / divisor)[peaks.frame]
            harmonic = np.maximum(1, np.round(peaks.hertz / f0)) * f0
            allowed = BIN_TOLERANCE * HERTZ_PER_BIN + harmonic * (RELATIVE_TOLERANCE + slope[peaks.frame])
            explained |= np.abs(peaks.hertz - harmonic) <= allowed
        unexplained = divisor * np.bincount(peaks.frame, power * ~explained, frames)
        better = unexplained < least
        best = np.where(better[peaks.frame], explained, best)
        least = np.minimum(least, unexplained)
    return best


class _Memory:
    """Remembers, bin by bin, how loud explained peaks were, and for how many frames a second pitch has held."""

    def __init__(self) -> None:
        self._level = np.full(HIGHEST_BIN + 2, SILENCE_DB, np.float32)
        self._age = np.zeros(HIGHEST_BIN + 2, int)

    def held(self, peaks: _Peaks, explained: npt.NDArray[np.bool_], frames: int) -> npt.NDArray[np.bool_]:
        """Which peaks belong to a second pitch. Shape [peaks]; the frames follow those of the call before."""
        result = np.zeros(len(explained), bool)
        bounds = np.searchsorted(peaks.frame, np.arange(frames + 1))
        for start, stop in itertools.pairwise(bounds):
            bins, level, known = peaks.bin[start:stop], peaks.level[start:stop], explained[start:stop]
            new = ~known & (level > self._level[bins] - NEAR_DB)
            age = np.zeros_like(self._age)
            age[bins[new]] = scipy.ndimage.maximum_filter1d(self._age, 3)[bins[new]] + 1
            self._age = age
            result[start:stop] = new & (age[bins] >= HOLD_FRAMES)
            self._level -= TAIL_DB_PER_SECOND * HOP / RATE
            for offset in range(-2, 3):
                near = np.clip(bins[known] + offset, 0, HIGHEST_BIN + 1)
                self._level[near] = np.maximum(self._level[near], level[known])
        return result
