"""The synthesiser of a bundle: controls of frames -> dry sound, in a stream."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from player.chain import Part, describe_chain
from player.description import Synthesiser as Description
from player.harmonics import Harmonics
from player.noise import FilteredNoise

Array = npt.NDArray[np.floating]
Audio = npt.NDArray[np.float32]  # [samples]


class Synthesiser:
    """Adds up the synthesisers of a signal chain, the quicker ones as late as the slowest.

    Args:
      description: of the manifest.
      widths: channels of each control that the network gives, by name.

    Attributes:
      latency: samples by which the sound is late: whole frames.

    Raises:
      ValueError: the chain is none that can be played, or a control is absent; the message names it.
    """

    def __init__(self, description: Description, widths: Mapping[str, int]):
        self._hop = description.hop
        self._parts: list[tuple[Part, Harmonics | FilteredNoise]] = []
        for part in describe_chain(description):
            for name, width in zip(part.controls, part.widths, strict=True):
                if widths.get(name) != width:
                    raise ValueError(f"network/outputs: {name} is {widths.get(name, 'absent')} wide, not {width}")
            self._parts.append((part, _synthesiser(part, description)))
        self.latency = max((synth.latency for _, synth in self._parts), default=0)
        self._waiting = [np.zeros(self.latency - synth.latency, np.float32) for _, synth in self._parts]

    def step(self, controls: Mapping[str, Array], f0_hz: Array, gain: Array | None, noise: Audio) -> Audio:
        """Play the next frames.

        Args:
          controls: by name, [frames, channels].
          f0_hz: [frames], Hz.
          gain: [frames], factor of all amplitudes; 1 where it is None.
          noise: [frames * hop], uniform in [-1, 1): all synthesisers filter the same.

        Returns:
          [frames * hop], `latency` samples late.
        """
        sound = np.zeros(len(f0_hz) * self._hop, np.float32)
        for index, (part, synth) in enumerate(self._parts):
            own = [controls[name] for name in part.controls]
            level = part.gain if gain is None else part.gain * np.asarray(gain)[:, np.newaxis]
            if isinstance(synth, Harmonics):
                made = synth.step(level * own[0] * own[1], f0_hz)
            else:
                made = synth.step(level * own[0], noise)
            ready = np.concatenate([self._waiting[index], made])
            sound += ready[: len(sound)]
            self._waiting[index] = ready[len(sound) :]
        return sound


def _synthesiser(part: Part, description: Description) -> Harmonics | FilteredNoise:
    if part.node.type == "harmonic":
        return Harmonics(description.sample_rate, description.hop, part.node.envelope)
    return FilteredNoise(part.node.bands, description.hop, part.node.spacing, description.sample_rate)
