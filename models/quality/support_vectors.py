"""Evaluates the support vectors that map similarity to quality in ViSQOL, without libsvm, which is C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import visqol
from visqol.quality_mapper import SimilarityToQualityMapper

Array = npt.NDArray[np.float64]

MODEL_FILE = Path(visqol.__file__).parent / "model" / "libsvm_nu_svr_model.txt"
WORST, BEST = 1.0, 5.0  # of a mean opinion score


class SupportVectors(SimilarityToQualityMapper):
    """The mapper of ViSQOL's audio mode: nu support vector regression with a radial kernel (Chang and Lin 2011).

    Args:
      model_file: as libsvm writes it, with its vectors in full.
    """

    def __init__(self, model_file: Path = MODEL_FILE) -> None:
        self._file = model_file
        self.init()

    def init(self) -> None:
        """Read the file.

        Raises:
          ValueError: it holds no regression with a radial kernel.
        """
        head, _, rows = self._file.read_text(encoding="ascii").partition("SV\n")
        settings = dict(line.split(maxsplit=1) for line in head.splitlines())
        if (settings.get("svm_type"), settings.get("kernel_type")) != ("nu_svr", "rbf"):
            raise ValueError(f"{self._file}: holds no regression with a radial kernel")
        self._gamma, self._offset = float(settings["gamma"]), float(settings["rho"])
        parts = [row.split() for row in rows.splitlines()]
        self._weights = np.array([float(weight) for weight, *_ in parts])  # [vectors]
        vectors = [[float(value.partition(":")[2]) for value in values] for _, *values in parts]
        self._vectors = np.array(vectors)  # [vectors, bands]

    def predict_quality(
        self,
        fvnsim: Array,
        fvnsim10: Array | None = None,
        fstdnsim: Array | None = None,
        fvdegenergy: Array | None = None,
    ) -> float:
        """Map similarity to a mean opinion score, 1 to 5.

        Args:
          fvnsim: mean similarity of each band, [bands]; the others are not used in audio mode.
          fvnsim10: its lowest tenth.
          fstdnsim: its deviation.
          fvdegenergy: energy of the bands.
        """
        distances = np.sum((self._vectors - fvnsim) ** 2, axis=1)
        score = self._weights @ np.exp(-self._gamma * distances) - self._offset
        return float(np.clip(score, WORST, BEST))
