"""The instrument's reverb, whatever the lengths of the blocks that it comes in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.fft

Audio = npt.NDArray[np.float32]  # [samples]

HEAD = 8192  # taps that are convolved with every block at once; the others once so many samples are there


class StreamedReverb:
    """Convolution with an impulse response, without delay (overlap-add).

    The first `HEAD` taps meet every block as it comes, so a short block costs a short transform. The taps behind them
    sound `HEAD` samples later at the earliest: they meet `HEAD` samples at a time.

    Args:
      impulse_response: [taps], of the reflections; the direct sound is added as it is. No taps: no reverb.
    """

    def __init__(self, impulse_response: npt.NDArray[np.floating]):
        taps = np.asarray(impulse_response, np.float32)
        self._taps = len(taps)
        self._head, self._rest = taps[:HEAD], taps[HEAD:]
        self._spectra: dict[int, npt.NDArray[np.complex64]] = {}
        self._ringing: Audio = np.zeros(self._taps + 2 * HEAD, np.float32)  # reverb of what came so far, from now on
        self._gathered: list[Audio] = []
        self._count = 0  # samples in it

    def __call__(self, dry: Audio) -> Audio:
        """Add the reverb to the next block. Shape [samples] -> [samples]."""
        if not self._taps or not len(dry):
            return dry
        wet = np.empty_like(dry)
        at = 0
        while at < len(dry):
            part = dry[at : at + HEAD - self._count]
            self._add(part, self._head, 0)
            wet[at : at + len(part)] = part + self._ringing[: len(part)]
            self._advance(len(part))
            at += len(part)
            self._gather(part)
        return wet

    def tail(self) -> Audio:
        """Return the reverb after the last block, and clear it. Shape [taps - 1]."""
        if self._count:
            missing = HEAD - self._count
            self._gather(np.zeros(missing, np.float32), late=missing)
        ringing = self._ringing[: max(0, self._taps - 1)].copy()
        self._ringing[:] = 0.0
        return ringing

    def _gather(self, part: Audio, late: int = 0) -> None:
        """Keep a part for the taps behind the head; at `HEAD` samples they meet them."""
        self._gathered.append(part)
        self._count += len(part)
        if self._count == HEAD:
            if len(self._rest):
                self._add(np.concatenate(self._gathered), self._rest, late)
            self._gathered, self._count = [], 0

    def _add(self, samples: Audio, taps: Audio, late: int) -> None:
        length = len(samples) + len(taps) - 1
        size = scipy.fft.next_fast_len(length, real=True)
        key = size if taps is self._head else -size
        if key not in self._spectra:
            if len(self._spectra) > 64:  # blocks of ever other lengths
                self._spectra.clear()
            self._spectra[key] = scipy.fft.rfft(taps, size)
        self._ringing[late : late + length] += scipy.fft.irfft(
            scipy.fft.rfft(samples, size) * self._spectra[key], size
        )[:length]

    def _advance(self, count: int) -> None:
        self._ringing[:-count] = self._ringing[count:]
        self._ringing[-count:] = 0.0
