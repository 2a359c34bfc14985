"""Detects more than one pitched instrument at once, given the f0 of the one that the tracker follows.

Spectral peaks that are harmonics of f0 are explained by it. So are harmonics of f0's subharmonics, where those explain
much more than by chance, since trackers err by whole multiples. Where harmonics lie close, as those of a low voice do
among the partials of a bright instrument, a peak of another line passes for one now and then: one that was unexplained
a moment before stays so, as long as f0 does not leap. What stays unexplained may be the tail of an earlier note, in a
room or on an open string: the levels of explained peaks are remembered, and fall as tails do, so that only a peak as
loud as it was when it was played counts. Nor does a frame count if its explained peaks are such tails themselves: the
tracker still follows the old note there. A frame has a second pitch where unexplained peaks hold on for more than a
moment and carry a few per cent of the energy of all peaks.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common.pitch import is_voiced
from data.features.hum import Hum
from data.features.peaks import (
    BINS,
    FRAME_SECONDS,
    HERTZ_PER_BIN,
    Peaks,
    explained_by,
    explained_by_chance,
    f0_around,
    find_peaks,
)
from data.features.reading import Floats, Read

SUBHARMONICS = (1, 2, 3, 4)  # f0 / n, taken where n times less stays unexplained, against what chance would leave
LEAST_BY_CHANCE = 1e-3  # of the energy of all peaks: chance leaves no less
DOUBT_FRAMES = 3  # for which a peak stays unexplained
STEADY_STEP = (
    0.5 / 12
)  # octaves in 24 ms: where f0 leaps further a note begins, and what was unexplained may be its own
TAIL_DB_PER_SECOND = 12.0  # no tail falls slower than this (RT60 of 5 s)
NEAR_DB = 3.0  # a peak this far below the remembered level is the same note, still held
HOLD_FRAMES = 2  # a peak must stay so long
LEAST_SECOND = 0.03  # of the energy of all peaks in a frame
LEAST_FIRST = 0.1  # of it, in explained peaks that are no tails
STRETCH_SECONDS = 10.0  # of pitched sound; a share of less would rest on single notes
ACTIVE_RANGE_DB = 30.0  # frames further below the loud level do not count
NO_PEAK_DB = -140.0  # the remembered level of a bin in which nothing was played yet


@dataclass(frozen=True)
class Polyphony:
    """The share of a recording that has a second pitch.

    Attributes:
      share: of the frames with a trusted pitch (of ten seconds of them at least).
      densest: the largest share of any ten seconds.
      at_seconds: where those begin.
    """

    share: float
    densest: float
    at_seconds: float


def measure_polyphony(
    read: Read,
    samples: int,
    sample_rate: int,
    f0_hz: Floats,
    f0_confidence: Floats,
    frame_rate: int,
    hum: Hum | None = None,
) -> Polyphony:
    """Search for a second pitch beside f0.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      sample_rate: Hz.
      f0_hz: [frames], Hz, of the pitch that was tracked, continuous.
      f0_confidence: [frames], 0 to 1.
      frame_rate: Hz.
      hum: its lines are no second pitch.
    """
    first, second, energy, memory = [], [], [], _Memory()
    for peaks in find_peaks(read, samples, sample_rate):
        around = f0_around(peaks, f0_hz, 1 / frame_rate)
        is_steady = np.abs(np.diff(around, axis=0)).max(axis=0) <= STEADY_STEP
        explained = _explained(peaks, around)
        if hum:
            explained |= hum.is_line(peaks.hertz, HERTZ_PER_BIN)
        live, held = memory.follow(peaks, explained, is_steady)
        energy.append(peaks.energy())
        first.append(peaks.energy(live))
        second.append(peaks.energy(held))
    at = np.arange(sum(map(len, energy))) * FRAME_SECONDS
    level = 10 * np.log10(np.concatenate(energy) + 1e-12)
    trusted = is_voiced(np.interp(at, np.arange(len(f0_confidence)) / frame_rate, f0_confidence))
    counted = trusted & (level > np.percentile(level, 95) - ACTIVE_RANGE_DB)
    whole = np.concatenate(energy)
    found = counted & (np.concatenate(second) > LEAST_SECOND * whole) & (np.concatenate(first) > LEAST_FIRST * whole)
    return _sum_up(found[counted], at[counted])


def _sum_up(found: npt.NDArray[np.bool_], at: npt.NDArray[np.float64]) -> Polyphony:
    """Compute the shares of frames with a second pitch, `found` of [pitched frames], at times [pitched frames] in s."""
    stretch = round(STRETCH_SECONDS / FRAME_SECONDS)
    so_far = np.concatenate(([0], np.cumsum(found), np.full(stretch, found.sum())))
    in_stretch = so_far[stretch:] - so_far[:-stretch]  # from every frame on
    begin = int(np.argmax(in_stretch))
    return Polyphony(
        share=float(found.sum() / max(len(found), stretch)),
        densest=float(in_stretch[begin] / stretch),
        at_seconds=float(at[begin]) if found.any() else 0.0,
    )


def _explained(peaks: Peaks, around: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Find the peaks that are harmonics of f0 or of the subharmonic that a frame takes: a mask [peaks]."""
    best, least = np.zeros(len(peaks.frame), bool), np.full(peaks.frames, np.inf)
    whole = peaks.energy()
    for divisor in SUBHARMONICS:
        explained = explained_by(peaks, around, divisor)
        by_chance = peaks.energy(1 - explained_by_chance(peaks, around, divisor)) + LEAST_BY_CHANCE * whole
        unexplained = divisor * peaks.energy(~explained) / np.maximum(by_chance, np.finfo(float).tiny)
        best = np.where((unexplained < least)[peaks.frame], explained, best)
        least = np.minimum(least, unexplained)
    return best


class _Memory:
    """Remembers, bin by bin, how loud explained peaks were, and for how many frames a second pitch has held.

    Peaks of one line go on in the same bin or the next.
    """

    def __init__(self) -> None:
        self._level = np.full(BINS, NO_PEAK_DB, np.float32)
        self._age = np.zeros(BINS, int)
        self._doubt = np.zeros(BINS, int)  # frames for which a peak there stays unexplained

    def follow(
        self, peaks: Peaks, explained: npt.NDArray[np.bool_], is_steady: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Separate what sounds now from what is left of earlier notes.

        Args:
          peaks: of the stretch that follows the one of the call before.
          explained: [peaks], bool.
          is_steady: [frames], bool: f0 does not leap.

        Returns:
          Explained peaks that are no tails, and unexplained ones that belong to a second pitch; each [peaks].
        """
        live, held = np.zeros(len(explained), bool), np.zeros(len(explained), bool)
        bounds = np.searchsorted(peaks.frame, np.arange(peaks.frames + 1))
        for steady, (start, stop) in zip(is_steady, itertools.pairwise(bounds), strict=True):
            bins, level = peaks.bin[start:stop], peaks.level[start:stop]
            known = self._beyond_doubt(bins, explained[start:stop], bool(steady))
            near = level > self._level[bins] - NEAR_DB
            new = near & ~known
            age = np.zeros_like(self._age)
            age[bins[new]] = _highest_beside(self._age, bins[new]) + 1
            self._age = age
            live[start:stop] = near & known
            held[start:stop] = new & (age[bins] >= HOLD_FRAMES)
            self._level -= TAIL_DB_PER_SECOND * FRAME_SECONDS
            for offset in range(-2, 3):
                beside = bins[known] + offset
                self._level[beside] = np.maximum(self._level[beside], level[known])
        return live, held

    def _beyond_doubt(
        self, bins: npt.NDArray[np.intp], explained: npt.NDArray[np.bool_], steady: bool
    ) -> npt.NDArray[np.bool_]:
        """Find the explained peaks of a frame that were not unexplained a moment before: a mask [peaks]."""
        doubt = np.zeros_like(self._doubt)
        if not steady:
            self._doubt = doubt
            return explained
        before = _highest_beside(self._doubt, bins) - 1
        doubt[bins] = np.where(explained, np.maximum(before, 0), DOUBT_FRAMES)
        self._doubt = doubt
        return explained & (before <= 0)


def _highest_beside(values: npt.NDArray[np.intp], bins: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Find the highest of the values [BINS] in each of some bins and those beside it; no peak is in the outermost."""
    highest: npt.NDArray[np.intp] = np.maximum(np.maximum(values[bins - 1], values[bins]), values[bins + 1])
    return highest
