"""The late part of a room: noise in bands that decays, the same in training, in bundles and in every engine.

A late tail is the sum over bands of level * noise * 10^(-3 t / decay), with the decay time of each band in seconds (to
-60 dB) and t from the tail's own beginning (Moorer 1979, "About This Reverberation Business": late reflections are
noise that dies away, the upper bands sooner).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

DECAY_RATE = 3.0 * np.log(10.0)  # nats in a decay time: 60 dB


def late_noise(bands: int, taps: int, sample_rate: int) -> Array:
    """Make the noise of every band; the sum over the bands is white, of power 1.

    Bands are even on the ERB-number scale (Glasberg & Moore 1990) from 0 Hz to Nyquist, and overlap so that their
    powers add up to 1. Spectra of the power of two of samples that holds the taps have these amplitudes and phases
    that are a hash of band and frequency (the finaliser of MurmurHash3); nothing lies at 0 Hz or Nyquist.

    Args:
      bands: at least 1.
      taps: length of the noise, at least 1.
      sample_rate: Hz.

    Returns:
      Shape [bands, taps].
    """
    size = 1 << max(3, (taps - 1).bit_length())
    bins = np.arange(size // 2 + 1)
    scale = np.log10(1.0 + 0.00437 * bins * (sample_rate / size))
    position = scale / scale[-1] * (bands - 1)
    numbers = np.arange(bands)[:, np.newaxis]
    amplitudes = np.sqrt(np.maximum(0.0, 1.0 - np.abs(position - numbers)))  # [bands, bins]
    turns = _hash((numbers * len(bins) + bins).astype(np.uint32)) / 2.0**32
    spectra = amplitudes * np.exp(2j * np.pi * turns)
    spectra[:, [0, -1]] = 0.0
    return np.asarray(np.fft.irfft(spectra) * np.sqrt(size))[:, :taps]


def late_tail(levels: npt.ArrayLike, decay_seconds: npt.ArrayLike, taps: int, sample_rate: int) -> Array:
    """Compute a late tail.

    Args:
      levels: of the bands, linear, [bands].
      decay_seconds: s to -60 dB, more than 0, [bands].
      taps: length of the tail.
      sample_rate: Hz.

    Returns:
      Shape [taps].
    """
    level, decay = (np.asarray(values, np.float64)[:, np.newaxis] for values in (levels, decay_seconds))
    time = np.arange(taps) / sample_rate
    return np.asarray(
        np.sum(level * np.exp(-DECAY_RATE * time / decay) * late_noise(len(level), taps, sample_rate), axis=0)
    )


def _hash(x: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return np.asarray(x ^ (x >> np.uint32(16)))
