"""Corrects f0 where a tracker took a harmonic for the fundamental.

Trackers do so for whole notes, where the fundamental is weak or overtones are strong. The mistake shows in the
spectrum: f0's own harmonics hold only part of the energy, those of f0 / n nearly all of it, and f0 / n itself sounds.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from data.features.peaks import FRAME_SECONDS, Peaks, explained_by, f0_around, find_peaks
from data.features.reading import Read

DIVISORS = (2, 3, 4)
LEAST_UNEXPLAINED = 0.4  # of the energy of all peaks, by f0
MOST_UNEXPLAINED = 0.1  # of that, by f0 / n
LEAST_FUNDAMENTAL = 0.01  # of the energy of all peaks, at f0 / n itself: two notes of a chord lack it
MOST_STEP = 3 / 12  # octaves between tracker frames; where f0 leaps further another run of frames begins
LEAST_VOTES = 3  # frames of 32 ms


def correct_octave_errors(
    f0_hz: npt.NDArray[np.float64],
    voiced: npt.NDArray[np.bool_],
    frame_seconds: float,
    read: Read,
    samples: int,
    sample_rate: int,
) -> npt.NDArray[np.float64]:
    """Divide f0 by 2, 3 or 4 in runs of frames where the spectrum of most frames calls for that.

    Args:
      f0_hz: [tracker frames], Hz.
      voiced: [tracker frames], bool; other frames are left as they are.
      frame_seconds: s between tracker frames.
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      sample_rate: Hz.

    Returns:
      [tracker frames], Hz.
    """
    if not voiced.any():
        return f0_hz
    times = np.arange(len(f0_hz)) * frame_seconds
    held = 2 ** np.interp(times, times[voiced], np.log2(f0_hz[voiced]))
    votes = np.concatenate(
        [_votes(peaks, f0_around(peaks, held, frame_seconds)) for peaks in find_peaks(read, samples, sample_rate)]
    )
    corrected = f0_hz.copy()
    for start, stop in _runs(f0_hz, voiced):
        first, last = round(start * frame_seconds / FRAME_SECONDS), round(stop * frame_seconds / FRAME_SECONDS)
        counts = np.bincount(votes[first:last], minlength=max(DIVISORS) + 1)
        divisor = int(np.argmax(counts))
        if divisor in DIVISORS and counts[divisor] >= LEAST_VOTES:
            corrected[start:stop] /= divisor
    return corrected


def _votes(peaks: Peaks, around: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Find divisors of f0, frame by frame; 1 where it is right."""
    whole = peaks.energy()
    by_f0 = peaks.energy(~explained_by(peaks, around))
    votes, least = np.ones(peaks.frames, int), MOST_UNEXPLAINED * by_f0
    suspect = by_f0 > LEAST_UNEXPLAINED * whole
    f0 = 2 ** around[len(around) // 2]
    if suspect.any():
        for divisor in DIVISORS:
            explained = explained_by(peaks, around, divisor)
            unexplained = peaks.energy(~explained)
            fundamental = peaks.energy(explained & (peaks.hertz < (1.5 / divisor * f0)[peaks.frame]))
            better = suspect & (unexplained < least) & (fundamental > LEAST_FUNDAMENTAL * whole)
            votes[better] = divisor
            least = np.where(better, unexplained / 2, least)  # a larger divisor explains more by mere chance
    return votes


def _runs(f0_hz: npt.NDArray[np.float64], voiced: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Find ranges of voiced frames in which f0 does not leap."""
    octaves = np.log2(np.where(voiced, f0_hz, 1.0))
    breaks = np.flatnonzero((np.abs(np.diff(octaves)) > MOST_STEP) | (voiced[1:] != voiced[:-1])) + 1
    edges = [0, *breaks.tolist(), len(f0_hz)]
    return [(start, stop) for start, stop in itertools.pairwise(edges) if voiced[start]]
