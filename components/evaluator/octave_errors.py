"""TFMA's metric of levels in octave bands: the largest error counts, and every band is kept for the report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from common.features import AUDIO, RECORDING_ID
from models.quality.octaves import Octave, WindowLevels, bands_hz, octaves, window_levels

OCTAVE_ERROR = "octave_error_db"
OF_BAND = "octave/"  # begins the names of single bands' figures: octave/HZ/FIGURE
FIGURES = ("error_db", "judged", "weak", "noise")  # of `Octave`

Levels = dict[str, WindowLevels]  # by name of the model


class OctaveErrors(tfma.metrics.Metric):
    """Largest |level error| of any octave band, dB, each the mean over eval windows; see `models.quality.octaves`."""

    def __init__(self, sample_rate: int, name: str = OCTAVE_ERROR, sources: str = ""):
        def computations(model_names: list[str] | None = None, **_: Any) -> list[tfma.metrics.MetricComputation]:
            models = model_names or [""]
            levels = MeasureWindow(models, sample_rate)
            return [
                tfma.metrics.MetricComputation(
                    keys=_keys(model, sample_rate), preprocessors=[levels], combiner=JoinBands(model, sample_rate)
                )
                for model in models
            ]

        super().__init__(computations, name=name, sample_rate=sample_rate, sources=sources)


def _keys(model: str, sample_rate: int) -> list[tfma.metrics.MetricKey]:
    of_bands = [f"{OF_BAND}{hz:g}/{figure}" for hz, _, _ in bands_hz(sample_rate) for figure in FIGURES]
    return [tfma.metrics.MetricKey(name=name, model_name=model) for name in (OCTAVE_ERROR, *of_bands)]


class MeasureWindow(tfma.metrics.Preprocessor):
    """Extracts of one window -> its levels by model."""

    def __init__(self, model_names: list[str], sample_rate: int):
        super().__init__(name=f"octaves at {sample_rate} Hz")
        self._model_names, self._sample_rate = model_names, sample_rate

    def process(self, extracts: dict[str, Any]) -> Iterator[Levels]:
        """Measure the recording and the audio of every model."""
        inputs = tfma.metrics.StandardMetricInputs(extracts)
        original = np.asarray(inputs.features[AUDIO]).reshape(-1)
        recording = str(np.asarray(inputs.features[RECORDING_ID]).reshape(-1)[0])
        yield {
            model: window_levels(
                recording, original, np.asarray(inputs.get_predictions(model)[AUDIO]).reshape(-1), self._sample_rate
            )
            for model in self._model_names
        }


class JoinBands(beam.CombineFn):
    """Keeps the levels of every window, a kilobyte each: which of them count follows from all of a recording."""

    def __init__(self, model: str, sample_rate: int):
        self._model, self._sample_rate = model, sample_rate

    def create_accumulator(self) -> list[WindowLevels]:
        """Start with no window."""
        return []

    def add_input(self, accumulator: list[WindowLevels], levels: Levels) -> list[WindowLevels]:
        """Add one window."""
        return [*accumulator, levels[self._model]]

    def merge_accumulators(self, accumulators: Iterable[list[WindowLevels]]) -> list[WindowLevels]:
        """Join lists of windows."""
        return [window for windows in accumulators for window in windows]

    def extract_output(self, accumulator: list[WindowLevels]) -> dict[tfma.metrics.MetricKey, float]:
        """Return the figures of all bands; NaN, which fails every threshold, where no band is judged."""
        found = octaves(accumulator) if accumulator else []
        errors = [abs(octave.error_db) for octave in found if octave.error_db is not None]
        values = [float(np.max(errors)) if errors else math.nan]
        for octave in found:
            values += [_number(octave, figure) for figure in FIGURES]
        keys = _keys(self._model, self._sample_rate)
        return dict(zip(keys, values + [math.nan] * (len(keys) - len(values)), strict=True))


def _number(octave: Octave, figure: str) -> float:
    value = getattr(octave, figure)
    return math.nan if value is None else float(value)
