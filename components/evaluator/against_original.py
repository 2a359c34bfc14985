"""TFMA's metric of how a model sounds beside the original recordings: ViSQOL on the windows that are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from common.features import AUDIO, ORIGINAL

CANDIDATE, LAST_BLESSED = "candidate", "last_blessed"  # names of the models that TFMA evaluates
VISQOL, BASELINE_VISQOL, JUDGED_WINDOWS = "visqol", "baseline_visqol", "judged_windows"
BASELINE_AUDIO = "baseline_audio"  # of `eval_losses`; models of earlier versions have none

Scores = dict[tfma.metrics.MetricKey, float]


class AgainstOriginal(tfma.metrics.Metric):
    """Mean ViSQOL over judged windows, 1 to 4.73: of every model, and of the candidate's network-free baseline.

    A window counts in every slice that it is in and is measured once, before they are made. Where none is judged, as
    with examples of earlier versions, scores are NaN and `judged_windows` is 0.
    """

    def __init__(self, sample_rate: int, name: str = VISQOL, sources: str = ""):
        def computations(model_names: list[str] | None = None, **_: Any) -> list[tfma.metrics.MetricComputation]:
            models = model_names or [""]
            keys = [
                tfma.metrics.MetricKey(name=key, model_name=model)
                for key in (VISQOL, BASELINE_VISQOL, JUDGED_WINDOWS)
                for model in models
            ]
            return [
                tfma.metrics.MetricComputation(
                    keys=keys, preprocessors=[ScoreWindow(models, sample_rate)], combiner=MeanScores(keys)
                )
            ]

        super().__init__(computations, name=name, sample_rate=sample_rate, sources=sources)


class ScoreWindow(tfma.metrics.Preprocessor):
    """Extracts of one window -> its scores by key; nothing for a window that is not judged."""

    def __init__(self, model_names: list[str], sample_rate: int):
        super().__init__(name=f"{VISQOL} at {sample_rate} Hz")
        self._model_names, self._sample_rate = model_names, sample_rate

    def setup(self) -> None:
        """Load ViSQOL once a worker."""
        from models.quality.visqol import Visqol

        self._score = Visqol()

    def process(self, extracts: dict[str, Any]) -> Iterator[Scores]:
        """Score the audio of every model, and of the candidate's baseline."""
        from data.windows.originals import unpack

        inputs = tfma.metrics.StandardMetricInputs(extracts)
        packed = np.asarray((inputs.features or {}).get(ORIGINAL, ())).reshape(-1)
        if not packed.size or packed[0] is None:
            return
        original, scores = unpack(packed[0]), Scores()
        for model in self._model_names:
            outputs = inputs.get_predictions(model)
            scored = {VISQOL: AUDIO, **({} if model == LAST_BLESSED else {BASELINE_VISQOL: BASELINE_AUDIO})}
            for name, output in scored.items():
                audio = np.asarray(outputs[output]).reshape(-1)
                key = tfma.metrics.MetricKey(name=name, model_name=model)
                scores[key] = self._score(original, audio, self._sample_rate)
        yield scores


class MeanScores(beam.CombineFn):
    """Mean of every score over the windows that have it, and their number."""

    def __init__(self, keys: list[tfma.metrics.MetricKey]):
        self._keys = keys

    def create_accumulator(self) -> np.ndarray:
        """Start with sums and counts of 0, [2, keys]."""
        return np.zeros((2, len(self._keys)))

    def add_input(self, accumulator: np.ndarray, scores: Scores) -> np.ndarray:
        """Add one window to the sums and counts [2, keys]."""
        sums, counts = [scores.get(key, 0.0) for key in self._keys], [key in scores for key in self._keys]
        return np.asarray(accumulator + np.array([sums, counts], np.float64))

    def merge_accumulators(self, accumulators: Iterable[np.ndarray]) -> np.ndarray:
        """Add sums and counts [2, keys]."""
        return np.sum(list(accumulators), axis=0)

    def extract_output(self, accumulator: np.ndarray) -> Scores:
        """Return the means of sums and counts [2, keys], NaN where there are none; and the number of windows."""
        sums, counts = accumulator
        found = {
            key: float(total / n) if n else float("nan") for key, total, n in zip(self._keys, sums, counts, strict=True)
        }
        windows = {key.model_name: n for key, n in zip(self._keys, counts, strict=True) if key.name == VISQOL}
        return {key: windows[key.model_name] if key.name == JUDGED_WINDOWS else found[key] for key in self._keys}
