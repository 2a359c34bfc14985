"""Measures levels in octave bands: what a model has too much or too little of, wherever the recording has energy.

A loss can be low while a whole octave is missing, and loudness is one number over all of them. Bands are octaves around
62.5 Hz to 16 kHz, as far as the rate reaches: the highest ends at 0.9 of half the sample rate, where resampling begins
to cut. A window is judged in a band in which it has energy: within 60 dB of its strongest band, and 6 dB above the
noise floor of its recording, which is what sounds while it is softest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common.loudness import a_weighting_db

Array = npt.NDArray[np.floating]

CENTRES_HZ = tuple(62.5 * 2**octave for octave in range(9))
USABLE = 0.9  # of half the sample rate
WITHIN_DB = 60.0  # of the strongest band
ABOVE_FLOOR_DB = 6.0
FRAME_SECONDS = 0.085
HOPS_PER_FRAME = 4
SOFTEST = 0.05  # share of the frames that the noise floor is measured on
SOFTER_BY_DB = 20.0  # than the loud frames, for the softest to be no music; a recording without such has no known floor
LOUD_PERCENTILE = 95
_TINY = 1e-20


@dataclass(frozen=True)
class WindowLevels:
    """Levels of one window, powers by band.

    Attributes:
      recording: that it is of.
      original, generated: mean power, [bands].
      softest: power of the original's softest frames, [bands].
      softest_db, loud_db: A-weighted level of its softest and its loud frames.
    """

    recording: str
    original: Array
    generated: Array
    softest: Array
    softest_db: float
    loud_db: float


@dataclass(frozen=True)
class Octave:
    """A band over all windows.

    Attributes:
      error_db: signed level of the generated audio over the recording's, mean over judged windows; None where these
        are fewer than half: a mean over one window that is barely within the limits is no fact about the model.
      judged: number of windows with energy there.
      weak: number of windows that are more than 60 dB below their strongest band there.
      noise: number of the others that are less than 6 dB above their noise floor there.
    """

    error_db: float | None
    judged: int
    weak: int
    noise: int


def bands_hz(sample_rate: int) -> list[tuple[float, float, float]]:
    """List the bands of a rate in Hz: centre, lower and upper edge."""
    top = USABLE * sample_rate / 2
    return [(hz, hz / 2**0.5, min(hz * 2**0.5, top)) for hz in CENTRES_HZ if hz / 2**0.5 < top]


def window_levels(recording: str, original: Array, generated: Array, sample_rate: int) -> WindowLevels:
    """Measure one window.

    Args:
      recording: that it is of.
      original: [samples], at the model's rate.
      generated: [samples]; NaN gives NaN.
      sample_rate: Hz.
    """
    frames = _powers(original, sample_rate)  # [frames, bands]
    weights = 10 ** (a_weighting_db(np.array([hz for hz, _, _ in bands_hz(sample_rate)])) / 10)
    level_db = 10 * np.log10(np.maximum(frames @ weights, _TINY))
    soft = np.argsort(level_db, kind="stable")[: max(1, round(SOFTEST * len(frames)))]
    return WindowLevels(
        recording,
        frames.mean(axis=0),
        _powers(generated[: len(original)], sample_rate).mean(axis=0),
        frames[soft].mean(axis=0),
        float(level_db[soft].mean()),
        float(np.percentile(level_db, LOUD_PERCENTILE)),
    )


def octaves(windows: Sequence[WindowLevels]) -> list[Octave]:
    """Sum up all windows, band by band."""
    floors = {recording: _floor(windows, recording) for recording in {window.recording for window in windows}}
    original = np.array([window.original for window in windows])  # [windows, bands]
    floor = np.array([floors[window.recording] for window in windows])
    generated = np.array([window.generated for window in windows])
    weak = original < original.max(axis=1, keepdims=True) * 10 ** (-WITHIN_DB / 10)
    noise = ~weak & (original < floor * 10 ** (ABOVE_FLOOR_DB / 10))
    error_db = 10 * np.log10(np.maximum(generated, _TINY) / np.maximum(original, _TINY))
    judged = ~weak & ~noise
    in_most = 2 * judged.sum(axis=0) >= len(windows)
    return [
        Octave(
            float(error_db[judged[:, band], band].mean()) if in_most[band] else None,
            int(judged[:, band].sum()),
            int(weak[:, band].sum()),
            int(noise[:, band].sum()),
        )
        for band in range(original.shape[1])
    ]


def _floor(windows: Sequence[WindowLevels], recording: str) -> Array:
    """Find the noise floor of a recording, [bands]: of its softest window; 0 where that is no softer than music."""
    own = [window for window in windows if window.recording == recording]
    softest = min(own, key=lambda window: window.softest_db)
    known = softest.softest_db <= max(window.loud_db for window in own) - SOFTER_BY_DB
    return softest.softest if known else np.zeros_like(softest.softest)


def _powers(audio: Array, sample_rate: int) -> Array:
    """Compute the power in every band, frame by frame: [frames, bands]."""
    size = round(FRAME_SECONDS * sample_rate)
    padded = np.pad(np.asarray(audio, np.float64), (0, max(0, size - len(audio))))
    views = np.lib.stride_tricks.sliding_window_view(padded, size)[:: size // HOPS_PER_FRAME]
    spectrum = np.abs(np.fft.rfft(views * np.hanning(size))) ** 2  # [frames, bins]
    hz = np.fft.rfftfreq(size, 1 / sample_rate)
    inside = [(hz >= low) & (hz < high) for _, low, high in bands_hz(sample_rate)]
    return np.stack([spectrum[:, one].sum(axis=1) for one in inside], axis=1)
