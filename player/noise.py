"""White noise, and noise through a filter that changes from frame to frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.fft

Audio = npt.NDArray[np.float32]  # [samples]

BLOCK_BITS = 12  # log2 of the samples that are made at a time


class WhiteNoise:
    """Noise uniform in [-1, 1), for each seed the same as the browser engine's: a 32-bit xorshift (Marsaglia 2003).

    A step of the generator is linear over bits, so a block of states is stepped at once by tables.
    """

    def __init__(self, seed: int = 0):
        state = (seed + 1) * 0x9E3779B1 & 0xFFFFFFFF | 1  # 0 would stay 0; neighbouring seeds must not start alike
        for _ in range(8):
            state = int(_next(np.uint32(state)))
        states = _next(np.array([state], np.uint32))
        columns = _next(np.left_shift(np.uint32(1), np.arange(32, dtype=np.uint32)))  # of the matrix of one step
        for _ in range(BLOCK_BITS):
            tables = _tables(columns)
            states = np.concatenate([states, _apply(tables, states)])
            columns = _apply(tables, columns)  # of twice as many steps
        self._states, self._tables, self._used = states, _tables(columns), 0

    def take(self, count: int) -> Audio:
        """Return the next samples."""
        taken = np.empty(count, np.float32)
        done = 0
        while done < count:
            if self._used == len(self._states):
                self._states, self._used = _apply(self._tables, self._states), 0
            part = self._states[self._used :][: count - done]
            taken[done : done + len(part)] = part.view(np.int32) / np.float64(2**31)
            done, self._used = done + len(part), self._used + len(part)
        return taken


def _next(x: npt.NDArray[np.uint32] | np.uint32) -> npt.NDArray[np.uint32]:
    x = x ^ np.left_shift(x, np.uint32(13))
    x = x ^ np.right_shift(x, np.uint32(17))
    return np.asarray(x ^ np.left_shift(x, np.uint32(5)))


def _tables(columns: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Make the tables [byte of a state, its value] of a linear map whose images of single bits are `columns`, [32]."""
    tables = np.zeros((4, 256), np.uint32)
    for bit in range(32):
        byte, order = divmod(bit, 8)
        tables[byte, 1 << order : 2 << order] = tables[byte, : 1 << order] ^ columns[bit]
    return tables


def _apply(tables: npt.NDArray[np.uint32], states: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    parts = [tables[byte][(states >> np.uint32(8 * byte)) & np.uint32(255)] for byte in range(4)]
    return np.asarray(parts[0] ^ parts[1] ^ parts[2] ^ parts[3])


def response_matrix(grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Compute the map from magnitudes to the taps of a causal, linear-phase filter (ddsp's frequency sampling).

    Args:
      grid: [bands, points], what each magnitude is at points evenly spaced from 0 Hz to half the sample rate.

    Returns:
      [bands, 2 (points - 1)]: the inverse Fourier transform, lag 0 in its middle, under a periodic Hann window.
    """
    length = 2 * (grid.shape[1] - 1)
    lags = np.fft.fftshift(np.fft.irfft(grid), axes=-1)
    return np.asarray(lags * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)), np.float32)


def erb_grid(bands: int, hop: int, sample_rate: int) -> npt.NDArray[np.float64]:
    """Interpolate magnitudes that are spaced as ears are onto a grid (Glasberg & Moore 1990, ERB-number scale).

    Args:
      bands: magnitudes.
      hop: samples a frame.
      sample_rate: Hz.

    Returns:
      [bands, points], as `response_matrix` takes it.
    """
    points, nyquist = max(hop + 1, bands), sample_rate / 2
    scale = 21.4 * np.log10(1 + 0.00437 * nyquist) * np.arange(bands) / (bands - 1)
    hz = (10 ** (scale / 21.4) - 1) / 0.00437
    # A filter cannot tell points apart that are closer than those of its grid.
    positions = np.minimum(np.maximum(hz / nyquist * (points - 1), np.arange(bands)), points - 1)
    return np.stack([np.interp(np.arange(points), positions, one) for one in np.eye(bands)])


class FilteredNoise:
    """Filters noise with the magnitudes of each frame; what rings on is kept for the next frames.

    Args:
      bands: magnitudes a frame.
      hop: samples a frame.
      spacing: of the magnitudes, "linear" or "erb".
      sample_rate: Hz.

    Attributes:
      latency: samples by which its sound is late: whole frames.
    """

    def __init__(self, bands: int, hop: int, spacing: str, sample_rate: int):
        self._matrix = response_matrix(np.eye(bands) if spacing == "linear" else erb_grid(bands, hop, sample_rate))
        self._hop, taps = hop, self._matrix.shape[1]
        delay = max((taps - 1) // 2 - 1, 0)  # what ddsp cuts for the filter's delay
        self.latency = -(-delay // hop) * hop
        self._size = scipy.fft.next_fast_len(hop + taps - 1, real=True)
        self._ringing = np.zeros(taps - 1, np.float32)
        self._waiting = np.zeros(self.latency - delay, np.float32)

    def step(self, magnitudes: npt.NDArray[np.floating], noise: Audio) -> Audio:
        """Filter the next frames.

        Args:
          magnitudes: [frames, bands], linear.
          noise: [frames * hop].

        Returns:
          [frames * hop], `latency` samples late.
        """
        frames, hop = len(magnitudes), self._hop
        responses = magnitudes.astype(np.float32) @ self._matrix  # [frames, taps]
        spectrum = scipy.fft.rfft(noise.reshape(frames, hop), self._size) * scipy.fft.rfft(responses, self._size)
        pieces = scipy.fft.irfft(spectrum, self._size)  # [frames, size]
        parts = -(-self._size // hop)
        pieces = np.pad(pieces, ((0, 0), (0, parts * hop - self._size)))
        added = np.zeros((frames + parts, hop), np.float32)
        for part in range(parts):
            added[part : part + frames] += pieces[:, part * hop : (part + 1) * hop]
        filtered = added.reshape(-1)[: frames * hop + len(self._ringing)]
        filtered[: len(self._ringing)] += self._ringing
        self._ringing = filtered[frames * hop :]
        ready = np.concatenate([self._waiting, filtered[: frames * hop]])
        self._waiting = ready[frames * hop :]
        return ready[: frames * hop]
