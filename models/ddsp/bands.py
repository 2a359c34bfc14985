"""The bands of filtered noise: at which frequencies its magnitudes lie, and the grid that its filter is made from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SPACINGS = ("linear", "erb")

Array = npt.NDArray[np.float64]


def erb_number(hz: npt.ArrayLike) -> Array:
    """Convert frequencies in Hz to the ERB-number scale, of any shape (Glasberg & Moore 1990, equation 4)."""
    return np.asarray(21.4 * np.log10(1.0 + 0.00437 * np.asarray(hz, np.float64)))


def erb_number_to_hz(number: npt.ArrayLike) -> Array:
    """Convert points of the ERB-number scale to Hz, of any shape: the inverse of `erb_number`."""
    return np.asarray((10.0 ** (np.asarray(number, np.float64) / 21.4) - 1.0) / 0.00437)


def interpolation(bands: int, spacing: str, hop: int, sample_rate: int) -> Array:
    """Compute the matrix that interpolates magnitudes linearly onto a grid of points evenly spaced up to Nyquist.

    With `linear` spacing the magnitudes are the grid. With `erb` they lie at points that are evenly spaced on the
    ERB-number scale from 0 Hz to Nyquist, but none nearer to 0 Hz than the grid's point of the same number: a filter
    cannot tell points apart that lie closer than its grid, and the network need not name them. The grid has
    hop + 1 points (or `bands`, where those are more), so that the filter's delay is one hop at any rate.

    Args:
      bands: number of magnitudes.
      spacing: one of `SPACINGS`.
      hop: samples a frame.
      sample_rate: Hz.

    Returns:
      Shape [bands, points]; every column sums to 1.

    Raises:
      ValueError: the spacing is none of those.
    """
    if spacing not in SPACINGS:
        raise ValueError(f"no spacing {spacing!r} of noise bands; known: {', '.join(SPACINGS)}")
    if spacing == "linear":
        return np.eye(bands)
    points = max(hop + 1, bands)
    nyquist, numbers = sample_rate / 2, np.arange(bands)
    on_scale = erb_number_to_hz(erb_number(nyquist) * numbers / (bands - 1)) / nyquist * (points - 1)
    positions = np.maximum(on_scale, numbers)  # of the magnitudes, in points of the grid
    positions[-1] = points - 1  # without the error of rounding
    return np.stack([np.interp(np.arange(points), positions, one) for one in np.eye(bands)])
