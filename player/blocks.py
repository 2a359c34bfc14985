"""Play an instrument from features, block by block: an hour of sound needs no more memory than a few seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import scipy.signal
import tensorflow as tf

from common.features import F0_HZ
from models.ddsp.synths import white_noise
from models.instrument import Instrument

Audio = npt.NDArray[np.float32]  # [samples]

BLOCK_SECONDS = 4.0
RELEASE_SECONDS = 0.01  # of the fade-out of a sound that ends in the middle of a note, so that it does not click


class StreamedReverb:
    """Convolution with an impulse response, whatever the lengths of the blocks it comes in (overlap-add).

    Args:
      impulse_response: shape [taps], of the reflections; the direct sound is added as it is. No taps: no reverb.
    """

    def __init__(self, impulse_response: npt.NDArray[np.floating]):
        self._taps = np.asarray(impulse_response, np.float32)
        self._ringing: Audio = np.zeros(
            max(0, len(self._taps) - 1), np.float32
        )  # reverb of earlier blocks, still to be added

    def __call__(self, dry: Audio) -> Audio:
        """Add the reverb to the next block. Shape [samples] -> [samples]."""
        if not len(self._taps) or not len(dry):
            return dry
        wet = scipy.signal.fftconvolve(dry, self._taps)  # [samples + taps - 1]
        wet[: len(self._ringing)] += self._ringing
        self._ringing = wet[len(dry) :]
        return np.asarray(dry + wet[: len(dry)], np.float32)

    def tail(self) -> Audio:
        """Return the reverb after the last block, and clear it. Shape [taps - 1]."""
        ringing, self._ringing = self._ringing, np.zeros_like(self._ringing)
        return np.asarray(ringing, np.float32)


def play(
    instrument: Instrument,
    impulse_response: npt.NDArray[np.floating],
    features: Mapping[str, npt.NDArray[np.floating]],
    seed: int = 0,
) -> Iterator[Audio]:
    """Play features from beginning to end, then let the reverb ring out.

    Args:
      instrument: the model; its state is carried from block to block, so the blocks join without a seam.
      impulse_response: shape [taps]; see `StreamedReverb`.
      features: `f0_hz` and the instrument's `feature_names`, each [frames], at least one frame.
      seed: of the noise; the same seed gives the same sound.

    Yields:
      Blocks [samples], in all frames * hop + taps - 1 samples.
    """
    reverb = StreamedReverb(impulse_response)
    for dry in _dry_blocks(instrument, features, seed):
        yield reverb(dry)
    yield reverb.tail()


def _dry_blocks(instrument: Instrument, features: Mapping[str, npt.NDArray[np.floating]], seed: int) -> Iterator[Audio]:
    audio = instrument.audio
    inputs = {name: np.asarray(features[name], np.float32) for name in (F0_HZ, *instrument.feature_names)}
    frames = len(inputs[F0_HZ])
    length = round(BLOCK_SECONDS * audio.frame_rate)
    step = tf.function(instrument.step)
    state = instrument.initial_state(1)
    late, left = instrument.latency, frames * audio.hop  # samples still to be dropped, and to be yielded
    for number in range(-(-(frames * audio.hop + late) // (length * audio.hop))):
        # The last frame is held until all of its sound has come out.
        indices = np.minimum(np.arange(number * length, (number + 1) * length), frames - 1)
        chunk = {name: tf.constant(values[indices][np.newaxis]) for name, values in inputs.items()}  # [1, block]
        noise = white_noise(1, length * audio.hop, (seed, number))
        dry, state = step(chunk, state, noise)
        block = dry[0].numpy()[late:][:left]
        release = (left - np.arange(len(block))) / (RELEASE_SECONDS * audio.sample_rate)
        late, left = max(0, late - length * audio.hop), left - len(block)
        yield np.asarray(block * np.minimum(1.0, release), np.float32)
