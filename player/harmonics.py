"""A bank of harmonics: sines at multiples of f0, whose phase is carried modulo one cycle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]  # [samples]

MOST_SINES = 2**20  # computed at a time, so that they stay in the cache


class Harmonics:
    """Plays frames of amplitudes; a sound lies between two frames, so it is one frame late.

    Between frames f0 is linear, and amplitudes follow the envelope: "window" (overlapping Hann windows of two hops,
    ddsp.core.upsample_with_windows) or "linear".

    Args:
      sample_rate: Hz.
      hop: samples a frame.
      envelope: as above.

    Attributes:
      latency: samples by which its sound is late.
    """

    def __init__(self, sample_rate: int, hop: int, envelope: str):
        self._rate, self._hop, self.latency = sample_rate, hop, hop
        sample = np.arange(hop)
        position = sample / hop
        rising = 0.5 - 0.5 * np.cos(np.pi * position) if envelope == "window" else position
        self._weights = np.stack([1 - rising, rising], axis=1).astype(np.float32)  # [hop, 2]
        self._position = position
        self._at_f0 = (sample + 1) / sample_rate  # cycles for each Hz of f0 at the frame
        self._at_slope = sample * (sample + 1) / (2 * hop * sample_rate)  # and for each Hz that it rises to the next
        self._f0_hz: float | None = None
        self._amplitudes: npt.NDArray[np.float32] | None = None
        self._phase = 0.0  # cycles, before the last frame's first sample

    def step(self, amplitudes: npt.NDArray[np.floating], f0_hz: npt.NDArray[np.floating]) -> Audio:
        """Play from the frame before the new ones through them; before the first frame there is silence.

        Args:
          amplitudes: [frames, harmonics], linear.
          f0_hz: [frames], Hz.

        Returns:
          [frames * hop].
        """
        amplitudes, new = np.asarray(amplitudes, np.float32), np.asarray(f0_hz, np.float64)
        first = self._f0_hz is None
        f0 = np.concatenate([new[:1] if self._f0_hz is None else [self._f0_hz], new])  # [frames + 1]
        before = amplitudes[:1] if self._amplitudes is None else self._amplitudes
        both = np.concatenate([before, amplitudes])  # [frames + 1, harmonics]
        start, slope = f0[:-1], np.diff(f0)
        advance = (self._hop * start + 0.5 * (self._hop - 1) * slope) / self._rate  # cycles in each frame
        # so that the silent hop before the first frame ends at phase 0
        initial = -advance[0] if first else self._phase
        phases = initial + np.concatenate([[0.0], np.cumsum(advance)])
        sound = np.empty((len(new), self._hop), np.float32)
        at_once = max(1, MOST_SINES // (self._hop * both.shape[1]))
        for at in range(0, len(new), at_once):
            part = slice(at, at + at_once)
            sound[part] = self._sound(phases[:-1][part], start[part], slope[part], both[at : at + at_once + 1])
        if first:
            sound[0] = 0.0
        self._f0_hz, self._amplitudes, self._phase = float(f0[-1]), both[-1:], float(phases[-1] % 1.0)
        return sound.reshape(-1)

    def _sound(
        self,
        phase: npt.NDArray[np.float64],
        start: npt.NDArray[np.float64],
        slope: npt.NDArray[np.float64],
        amplitudes: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """Play frames [n] from phase and f0 towards the next; `amplitudes` is [n + 1, harmonics]. Shape [n, hop]."""
        hz = start[:, np.newaxis] + slope[:, np.newaxis] * self._position
        nyquist = self._rate / 2
        audible = int(np.clip(np.ceil(nyquist / max(float(hz.min()), 1e-3)) - 1, 1, amplitudes.shape[1]))
        numbers = np.arange(1, audible + 1, dtype=np.float32)
        cycles = phase[:, np.newaxis] + start[:, np.newaxis] * self._at_f0 + slope[:, np.newaxis] * self._at_slope
        own = (cycles - np.rint(cycles)).astype(np.float32)  # [n, hop]
        sines = own[..., np.newaxis] * numbers
        sines -= np.rint(sines)
        np.sin(np.multiply(sines, np.float32(2 * np.pi), out=sines), out=sines)  # [n, hop, audible]
        if float(hz.max()) * audible >= nyquist:
            sines[hz[..., np.newaxis] * numbers >= nyquist] = 0.0
        heights = amplitudes[:, :audible]
        pair = np.stack([heights[:-1], heights[1:]], axis=2)  # [n, audible, 2]
        return np.asarray(((sines @ pair) * self._weights).sum(axis=2))
