"""Mixes channels to mono, and measures what is lost where they cancel each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class Mix:
    """The mean of all channels, block by block, and its energy beside theirs."""

    def __init__(self) -> None:
        self._mixed = 0.0
        self._channels = 0.0

    def add(self, block: Floats) -> Floats:
        """Mix a block, [frames, channels], to [frames]."""
        if block.shape[1] == 1:
            return block[:, 0]
        mono = block.mean(axis=1, dtype=np.float64)
        offsets = block.mean(axis=0, dtype=np.float64)  # a common one would pass for correlation
        square = np.einsum("fc,fc->", block, block, dtype=np.float64)
        self._channels += max(0.0, float(square - len(block) * np.sum(offsets**2)))
        self._mixed += float(np.sum((mono * block.shape[1] - offsets.sum()) ** 2))
        return mono.astype(np.float32)

    def energy(self) -> float:
        """Return the mix's energy as a share of what uncorrelated channels would give: 0 where all of it cancels.

        That is 1 for a single channel, and 1 plus the correlation for two of one level.
        """
        return self._mixed / self._channels if self._channels > 0 else 1.0
