"""Finds mains hum: lines at 50 or 60 Hz and their multiples that go on, at one level, through all of a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import soxr

from common.pitch import is_voiced
from data.features.reading import Floats, Read

MAINS_HZ = (50, 60)
MULTIPLES = 6
RATE = 1_000  # Hz, of the audio that is looked at
WINDOW_SECONDS = 1.0  # so that a bin is 1 Hz
FEWEST_WINDOWS, MOST_WINDOWS = 4, 100  # spread over the recording
QUIET_PERCENTILE = 10.0  # of windows, in which the instrument rests or plays elsewhere, if it ever does
STANDS_OUT_DB = 15.0  # above its surroundings, even there
BESIDE_HZ = (5, 6, 7, 8, 9)  # no line of either mains lies so near to one of the other
BELOW_DB = 6.0  # what is hardly quieter than the recording's loud parts is what was recorded

ALONE = 10 ** (12 / 20)  # times the RMS of the hum: frames with its pitch and no more hold no note of that pitch
EDGE_FRAMES = 20  # beside those, in which a note begins or ends and the tracker glides between it and the hum
NEAR = 0.012  # of its frequency, by which trackers miss a line


@dataclass(frozen=True)
class Hum:
    """Mains hum of a recording.

    Attributes:
      hertz: 50 or 60.
      rms: of all its lines together, linear.
    """

    hertz: int
    rms: float

    def is_line(self, hertz: Floats, within_hz: float) -> npt.NDArray[np.bool_]:
        """Find the frequencies that are within so many Hz of a line; all of one shape."""
        multiple = np.clip(np.round(hertz / self.hertz), 1, MULTIPLES) * self.hertz
        line: npt.NDArray[np.bool_] = np.abs(hertz - multiple) <= within_hz
        return line

    def is_alone(self, f0_hz: Floats, f0_confidence: Floats, rms_energy: Floats) -> npt.NDArray[np.bool_]:
        """Find the frames whose pitch is the hum's and that are no louder than it, and those beside; all [frames]."""
        multiple = np.clip(np.round(f0_hz / self.hertz), 1, MULTIPLES) * self.hertz
        is_line = np.abs(f0_hz / multiple - 1) < NEAR
        is_line &= is_voiced(f0_confidence)
        alone = is_line & (rms_energy < ALONE * self.rms)
        beside: npt.NDArray[np.bool_] = scipy.ndimage.binary_dilation(alone, iterations=EDGE_FRAMES)
        return beside


def find_hum(read: Read, samples: int, sample_rate: int, loud_rms: float) -> Hum | None:
    """Search a recording for mains hum.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      sample_rate: Hz.
      loud_rms: RMS of the recording's loud parts, linear.

    Returns:
      The louder one of both mains; None where there is none, or where the recording is too short to be sure.
    """
    power = _power(read, samples, sample_rate)
    if power is None:
        return None
    found = [Hum(mains, math.sqrt(sum(_lines(power, mains)))) for mains in MAINS_HZ]
    loudest = max(found, key=lambda hum: hum.rms)
    return loudest if 0 < loudest.rms < loud_rms * 10 ** (-BELOW_DB / 20) else None


def _power(read: Read, samples: int, sample_rate: int) -> npt.NDArray[np.float64] | None:
    """Measure the power of lines in the quiet windows, [Hz]; None where there are too few windows."""
    size = round(WINDOW_SECONDS * sample_rate)
    count = min(MOST_WINDOWS, samples // size)
    if count < FEWEST_WINDOWS:
        return None
    starts = np.linspace(0, samples - size, count).astype(int)
    slow = np.stack([soxr.resample(read(start, start + size), sample_rate, RATE, "QQ") for start in starts.tolist()])
    window = np.hanning(slow.shape[1] + 1)[:-1]
    spectra = np.abs(np.fft.rfft(slow * window)) ** 2
    quiet: npt.NDArray[np.float64] = np.percentile(spectra, QUIET_PERCENTILE, axis=0)
    return 2 * quiet / window.sum() ** 2


def _lines(power: npt.NDArray[np.float64], mains: int) -> list[float]:
    """List the power of a mains' lines; none unless its fundamental stands out, or two of its multiples do."""
    found: dict[int, float] = {}
    for line in range(mains, (MULTIPLES + 1) * mains, mains):
        floor = float(np.median([power[line + side * beside] for beside in BESIDE_HZ for side in (-1, 1)]))
        highest = line - 3 + int(np.argmax(power[line - 3 : line + 4]))
        if highest == line and power[line] > 10 ** (STANDS_OUT_DB / 10) * floor and power[line] > 1e-14:
            found[line] = float(power[line])
    return list(found.values()) if mains in found or len(found) >= 2 else []
