"""TensorBoard logs: losses as curves, eval windows as audio and spectrograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from models.ddsp.spectral import stft_magnitude

_RANGE_DB = 80.0
_FFT = 512
# Dark to bright, even steps of lightness: black, violet, red, orange, pale yellow.
_COLOURS = np.array([[0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]], np.float32)


class TensorBoardWriter:
    """Writer of event files for TensorBoard.

    Args:
      folder: of the event files.
      sample_rate: Hz, of the audio.
    """

    def __init__(self, folder: str, sample_rate: int):
        self._writer = tf.summary.create_file_writer(folder)
        self._sample_rate = sample_rate

    def write_scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write a point of each curve."""
        with self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step)

    def write_originals(self, names: Sequence[str], audio: np.ndarray) -> None:
        """Write audio of the recordings, [windows, samples] in [-1, 1]."""
        self._write_audio("original", 0, names, audio)

    def write_resyntheses(self, step: int, names: Sequence[str], originals: np.ndarray, audio: np.ndarray) -> None:
        """Write audio of the model, and spectrograms of both, the original above.

        Args:
          step: of the training.
          names: of the windows.
          originals: audio of the recordings, [windows, samples] in [-1, 1].
          audio: the resynthesis of the same windows, same shape.
        """
        self._write_audio("resynthesis", step, names, audio)
        pictures = np.concatenate([spectrogram(originals), spectrogram(audio)], axis=1)
        with self._writer.as_default():
            for name, picture in zip(names, pictures, strict=True):
                tf.summary.image(f"spectrogram/{name}", picture[np.newaxis], step)
            self._writer.flush()

    def _write_audio(self, what: str, step: int, names: Sequence[str], audio: np.ndarray) -> None:
        with self._writer.as_default():
            for name, clip in zip(names, np.clip(audio, -1, 1), strict=True):
                sound = clip[np.newaxis, :, np.newaxis]  # [clips, samples, channels]
                tf.summary.audio(f"{what}/{name}", sound, self._sample_rate, step, max_outputs=1)


def spectrogram(audio: np.ndarray) -> np.ndarray:
    """Draw spectrograms: 80 dB below full scale is black, low frequencies are at the bottom.

    Args:
      audio: shape [windows, samples], in [-1, 1].

    Returns:
      RGB images, shape [windows, bins, frames, 3], uint8.
    """
    magnitude = stft_magnitude(audio, _FFT).numpy() / (_FFT / 4)  # a full-scale sine is 1 under a Hann window
    level = 1 + 20 * np.log10(np.maximum(magnitude, 1e-6)) / _RANGE_DB
    position = np.clip(level, 0, 1).transpose(0, 2, 1)[:, ::-1] * (len(_COLOURS) - 1)  # [windows, bins, frames]
    anchors = np.arange(len(_COLOURS))
    return np.stack([np.interp(position, anchors, channel) for channel in _COLOURS.T], axis=-1).astype(np.uint8)
