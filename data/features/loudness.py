"""Loudness and RMS energy of a recording, frame by frame: numpy twins of what training measures on generated audio.

Frames are centred, and the first `samples // hop` are kept. Window, weighting and floor: `common.loudness`.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.fft

from common.audio import AudioConfig
from common.loudness import FLOOR_DB, a_weighting_db
from data.features.reading import Floats, Read

BLOCK_FRAMES = 2500  # measured at a time


def loudness_and_rms(read: Read, samples: int, audio: AudioConfig, floor_db: float = FLOOR_DB) -> tuple[Floats, Floats]:
    """Measure loudness and RMS energy of a recording of any length, in blocks.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      audio: rates.
      floor_db: of loudness, -150 dB or more.

    Returns:
      A-weighted loudness in dB, at least `floor_db`, and linear RMS energy, each [samples // hop].
    """
    frames = samples // audio.hop
    loudness, rms = np.empty(frames, np.float32), np.empty(frames, np.float32)
    for first in range(0, frames, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, frames)
        reach = audio.loudness_fft // 2
        block = read(first * audio.hop - reach, (last - 1) * audio.hop - reach + audio.loudness_fft)
        loudness[first:last], rms[first:last] = measure_frames(block, audio)
    return np.maximum(loudness, np.float32(floor_db)), rms


def measure_frames(block: Floats, audio: AudioConfig) -> tuple[Floats, Floats]:
    """Measure all whole frames of a block of audio.

    Args:
      block: [samples], padding included.
      audio: rates.

    Returns:
      Loudness in dB and linear RMS energy, each [frames].
    """
    size = audio.loudness_fft
    framed = np.lib.stride_tricks.sliding_window_view(block, size)[:: audio.hop]  # [frames, size]
    periodic_hann = (0.5 - 0.5 * np.cos(2 * math.pi * np.arange(size) / size)).astype(np.float32)
    spectrum = scipy.fft.rfft(framed * periodic_hann)  # [frames, bins] complex64
    power = spectrum.real**2 + spectrum.imag**2
    weights = 10 ** (a_weighting_db(np.fft.rfftfreq(size, 1 / audio.sample_rate)) / 10)
    mean_power = power @ (weights / len(weights)).astype(np.float32)
    loudness = 10 * np.log10(np.maximum(mean_power, np.float32(1e-15)))
    rms = np.sqrt(np.einsum("fs,fs->f", framed, framed, optimize=False) / size)
    return loudness.astype(np.float32), rms.astype(np.float32)
