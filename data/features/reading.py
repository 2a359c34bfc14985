"""How features are measured from a recording that is not held in memory: by reading stretches of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Read = Callable[[int, int], Floats]  # (start, stop) -> samples [stop - start], zeros outside the recording
