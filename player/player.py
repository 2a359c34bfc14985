"""Play an instrument from f0 and loudness: in steps while they come in, or from beginning to end in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from common.features import F0_HZ, LOUDNESS_DB, RMS_ENERGY
from player.adjust import rms_from_loudness
from player.bundle import Bundle
from player.network import Network
from player.noise import WhiteNoise
from player.reverb import StreamedReverb
from player.synthesiser import Synthesiser

Array = npt.NDArray[np.floating]
Audio = npt.NDArray[np.float32]  # [samples]

BLOCK_SECONDS = 4.0
RELEASE_SECONDS = 0.01  # of the fade-out of a sound that ends in the middle of a note, so that it does not click


class Player:
    """An instrument that plays as f0 and loudness come in.

    Args:
      bundle: as `player.bundle.load` returns it.
      seed: of the noise; the same seed gives the same sound, that of the browser engine.

    Attributes:
      sample_rate: Hz, of the sound.
      frame_rate: Hz, of f0 and loudness.
      hop: samples a frame.
      latency: samples by which the sound is late: whole frames.
    """

    def __init__(self, bundle: Bundle, seed: int = 0):
        audio, described = bundle.audio, bundle.described
        self.sample_rate, self.frame_rate, self.hop = audio.sample_rate, audio.frame_rate, audio.hop
        self._statistics = bundle.statistics
        self._network = Network(described.network, bundle.tensors, audio.sample_rate, audio.frame_rate)
        widths = {output.name: output.channels for output in described.network.outputs}
        self._synthesiser = Synthesiser(described.synthesiser, widths)
        self._noise = WhiteNoise(seed)
        self._reverb = StreamedReverb(bundle.impulse_response)
        self.latency = self._synthesiser.latency

    def step(
        self,
        f0_hz: npt.ArrayLike,
        loudness_db: npt.ArrayLike,
        gain: npt.ArrayLike | None = None,
        rms_energy: npt.ArrayLike | None = None,
    ) -> Audio:
        """Play the next frames: any number of them, one to begin with.

        Args:
          f0_hz: fundamental frequency in Hz, a number or [frames]; it goes on where there is silence.
          loudness_db: A-weighted loudness in dB, of the same shape.
          gain: factor of the sound, of the same shape: 0 is silence. 1 where it is None.
          rms_energy: linear, of the same shape; by default what the instrument has at this loudness.

        Returns:
          The sound, [frames * hop], `latency` samples late, with the reverb of all that came before.

        Raises:
          ValueError: shapes differ, or a value is not finite.
        """
        given = {F0_HZ: f0_hz, LOUDNESS_DB: loudness_db, "gain": gain, RMS_ENERGY: rms_energy}
        features = {name: np.atleast_1d(np.asarray(x, np.float32)) for name, x in given.items() if x is not None}
        _check(features)
        return self._reverb(self.dry(features))

    def finish(self) -> Audio:
        """Return what still sounds after the last frame: the reverb, [taps - 1]."""
        return self._reverb.tail()

    def dry(self, features: Mapping[str, Array]) -> Audio:
        """Play the next frames without reverb.

        Args:
          features: `f0_hz` and `loudness_db`, and `gain` and `rms_energy` where there are any, each [frames].

        Returns:
          [frames * hop], `latency` samples late.
        """
        rms_energy = features.get(RMS_ENERGY)
        if rms_energy is None:
            rms_energy = rms_from_loudness(features[LOUDNESS_DB], self._statistics).astype(np.float32)
        f0_hz = features[F0_HZ]
        controls = self._network.step({**features, RMS_ENERGY: rms_energy})
        noise = self._noise.take(len(f0_hz) * self.hop)
        return self._synthesiser.step(controls, f0_hz, features.get("gain"), noise)


def play(bundle: Bundle, features: Mapping[str, Array], seed: int = 0) -> Iterator[Audio]:
    """Play features from beginning to end, then let the reverb ring out: an hour needs no more memory than a minute.

    Args:
      bundle: as `player.bundle.load` returns it.
      features: `f0_hz` in Hz and `loudness_db` in dB, and `gain` and `rms_energy` where there are any (see
        `Player.step`), each [frames], at least one frame.
      seed: of the noise.

    Yields:
      Blocks [samples], in all frames * hop + taps - 1 samples: what the browser engine renders.

    Raises:
      ValueError: there are no frames, lengths differ, or a value is not finite.
    """
    features = {name: np.asarray(values, np.float32) for name, values in features.items()}
    _check(features)
    player, reverb = Player(bundle, seed), StreamedReverb(bundle.impulse_response)
    frames = len(features[F0_HZ])
    length = round(BLOCK_SECONDS * player.frame_rate)
    late, left = player.latency, frames * player.hop  # samples still to be dropped, and to be yielded
    at = 0
    while left:
        # The last frame is held until all of its sound has come out.
        indices = np.minimum(np.arange(at, min(at + length, frames + player.latency // player.hop)), frames - 1)
        dry = player.dry({name: values[indices] for name, values in features.items()})
        block = dry[late:][:left]
        release = (left - np.arange(len(block))) / (RELEASE_SECONDS * player.sample_rate)
        at, late, left = at + length, max(0, late - len(dry)), left - len(block)
        yield reverb(np.asarray(block * np.minimum(1.0, release), np.float32))
    yield reverb.tail()


def _check(features: Mapping[str, Array]) -> None:
    shapes = {name: values.shape for name, values in features.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 or not shape[0] for shape in shapes.values()):
        raise ValueError(f"features must be numbers, or all of one length of at least one frame, not {shapes}")
    for name, values in features.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds a value that is not finite")
