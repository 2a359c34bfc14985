"""Spectrograms and players of sounds, for the tutorials."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import soundfile
from IPython.display import Audio, Markdown, display


def listen(sample_rate: int = 16000, **sounds: npt.ArrayLike) -> None:
    """Show spectrograms side by side on one scale, 0 Hz to Nyquist, and a player for each sound.

    Args:
      sample_rate: Hz.
      sounds: samples by title, any shape that has one axis longer than 1; underscores in a title become spaces.
    """
    signals = {title.replace("_", " "): np.asarray(samples).reshape(-1) for title, samples in sounds.items()}
    _, axes = plt.subplots(1, len(signals), figsize=(3 * len(signals) + 1, 2.4), squeeze=False, sharey=True)
    loudest = max(float(np.abs(signal).max()) for signal in signals.values()) or 1.0
    for axis, (title, signal) in zip(axes[0], signals.items(), strict=True):
        axis.specgram(
            signal / loudest + 1e-7, NFFT=512, Fs=sample_rate, noverlap=384, vmin=-140, vmax=-30, cmap="magma"
        )
        axis.set(title=title, xlabel="s")
    axes[0][0].set_ylabel("Hz")
    plt.tight_layout()
    plt.show()
    for title, signal in signals.items():
        display(Markdown(title), _player(signal, sample_rate))


def _player(signal: npt.NDArray[np.floating], sample_rate: int) -> Audio:
    packed = io.BytesIO()
    soundfile.write(packed, np.clip(signal, -1.0, 1.0), sample_rate, format="FLAC", subtype="PCM_16")
    player = Audio(data=packed.getvalue())
    player.mimetype = "audio/flac"
    return player
