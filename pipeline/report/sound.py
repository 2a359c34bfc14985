"""Sounds and their spectrograms as data inside the page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

RANGE_DB = 75.0
ROWS = 144  # pixels from LOWEST_HZ up to Nyquist
LOWEST_HZ = 40.0
PIXELS_PER_SECOND = 100
MOST_COLUMNS = 1200
COLOURS = 64

Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Clip:
    """A sound and its spectrogram.

    Attributes:
      flac: `data:` address of the sound: 16-bit FLAC, which browsers have played since 2017.
      png: `data:` address of its spectrogram.
      seconds: s, its length.
    """

    flac: str
    png: str
    seconds: float


def clips(sounds: list[Array], sample_rate: int) -> list[Clip]:
    """Encode sounds that belong together for the page: one scale of brightness for all, that of the first.

    Args:
      sounds: each [samples]. A sound louder than full scale is turned down as a whole, so that it does not clip.
      sample_rate: Hz, of all.
    """
    pictures = [_mel_rows(sound, sample_rate) for sound in sounds]
    brightest = float(pictures[0].max(initial=-180.0))
    return [
        Clip(_flac(sound, sample_rate), _png(picture - brightest), len(sound) / sample_rate)
        for sound, picture in zip(sounds, pictures, strict=True)
    ]


def _mel_rows(sound: Array, sample_rate: int) -> Array:
    """Compute dB of amplitude [ROWS, columns]: rows evenly spaced in mel from LOWEST_HZ to Nyquist, columns in time."""
    size = 1 << round(np.log2(sample_rate * 0.064))
    columns = min(MOST_COLUMNS, max(1, round(len(sound) / sample_rate * PIXELS_PER_SECOND)))
    hop = max(1, len(sound) // columns)
    padded = np.pad(sound.astype(np.float32), size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[: columns * hop : hop]
    amplitude = np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=-1)) * (4.0 / size)
    decibels = 20.0 * np.log10(np.maximum(amplitude, 1e-9)).T  # [bins, columns]
    mel = np.linspace(hz_to_mel(LOWEST_HZ), hz_to_mel(sample_rate / 2), ROWS + 1)
    edges = np.minimum(mel_to_hz(mel) * size / sample_rate, size / 2)  # in bins
    return np.stack([_row(decibels, low, high) for low, high in pairwise(edges)])


def hz_to_mel(hz: float) -> float:
    """Convert Hz to mel (O'Shaughnessy 1987): steps that are perceived as even."""
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def mel_to_hz(mel: Array) -> Array:
    """Convert mel, any shape, to Hz: the inverse of `hz_to_mel`."""
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))


def _row(decibels: Array, low: float, high: float) -> Array:
    """Take the loudest bin between two positions, [columns]; where none lies between, interpolate its neighbours."""
    first, last = int(np.ceil(low)), int(np.floor(high))
    if first <= last:
        return np.asarray(decibels[first : last + 1].max(axis=0))
    share = (low + high) / 2 - int(low)
    return np.asarray(decibels[int(low)] * (1.0 - share) + decibels[int(low) + 1] * share)


def _flac(sound: Array, sample_rate: int) -> str:
    import soundfile

    packed = io.BytesIO()
    peak = float(np.max(np.abs(sound), initial=0.0))
    soundfile.write(packed, sound / max(peak, 1.0), sample_rate, format="FLAC", subtype="PCM_16")
    return _data("audio/flac", packed)


def _png(decibels: Array) -> str:
    """Encode a picture [rows, columns] of dB below the brightest, first row at the bottom."""
    from matplotlib import colormaps
    from PIL import Image

    shades = np.clip(1.0 + decibels / RANGE_DB, 0.0, 1.0) * (COLOURS - 1)
    image = Image.fromarray(shades[::-1].round().astype(np.uint8), mode="P")
    palette = colormaps["magma"](np.linspace(0.0, 1.0, COLOURS))[:, :3]  # [colours, rgb]
    image.putpalette((palette * 255).round().astype(np.uint8).tobytes())
    packed = io.BytesIO()
    image.save(packed, "PNG", optimize=True)
    return _data("image/png", packed)


def _data(kind: str, packed: io.BytesIO) -> str:
    return f"data:{kind};base64,{base64.b64encode(packed.getvalue()).decode('ascii')}"
