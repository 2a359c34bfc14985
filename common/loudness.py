"""The window, the weighting and the floor of loudness and RMS energy. NumPy only.

Definitions are ddsp 3.7's (`spectral_ops.compute_loudness`, `compute_rms_energy`; Hantrakul et al. 2019). Recordings
are measured by `data.features.loudness`, generated audio by `models.ddsp.spectral`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FLOOR_DB = -80.0  # dB of full scale: loudness, RMS energy and power never lie below it
FLOOR_AMPLITUDE = 10.0 ** (FLOOR_DB / 20.0)
WINDOW_MILLISECONDS = 32


def window_samples(sample_rate: int) -> int:
    """Count the samples in the window of loudness and RMS energy: 512 at 16 kHz (sample_rate in Hz)."""
    return sample_rate * WINDOW_MILLISECONDS // 1000


def a_weighting_db(hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Compute the A-weighting (IEC 61672-1): 0 dB at 1 kHz, with a floor of -80 dB.

    Args:
      hz: frequencies in Hz, any shape.

    Returns:
      dB, the same shape.
    """
    square = np.asarray(hz, np.float64) ** 2
    poles = np.array([20.598997, 107.65265, 737.86223, 12194.217]) ** 2
    response = (
        poles[3]
        * square**2
        / ((square + poles[0]) * np.sqrt((square + poles[1]) * (square + poles[2])) * (square + poles[3]))
    )
    with np.errstate(divide="ignore"):
        weights: npt.NDArray[np.float64] = np.maximum(20.0 * np.log10(response) + 2.0, FLOOR_DB)
    return weights


def amplitude_to_db(amplitude: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Convert linear amplitude or RMS energy, any shape, to dB with a floor of -80 dB; dtype and shape are kept."""
    return 20.0 * np.log10(np.maximum(amplitude, FLOOR_AMPLITUDE))
