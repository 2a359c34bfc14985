"""TFMA metrics over the outputs of a model's `eval_losses` signature for each window.

Every metric takes `sources`, a fingerprint of the code behind it that changes nothing: TFX's cache sees only
configurations, and an edited metric must be measured again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from common.features import AUDIO, F0_CONFIDENCE, F0_HZ
from common.pitch import is_voiced

WindowOutputs = dict[str, np.ndarray]  # name -> value of one window, of the signature `eval_losses`

NO_PITCH_CENTS = 1200.0  # the error of a frame that should have a pitch and has none
CENTS_PER_BIN = 0.5


def _computations(
    name: str, combiner: Callable[[tfma.metrics.MetricKey, str], beam.CombineFn]
) -> Callable[..., list[tfma.metrics.MetricComputation]]:
    """Make one computation for every model (candidate and baseline) that is evaluated."""

    def create(model_names: list[str] | None = None, **_: Any) -> list[tfma.metrics.MetricComputation]:
        made = []
        for model_name in model_names or [""]:
            key = tfma.metrics.MetricKey(name=name, model_name=model_name)
            made.append(
                tfma.metrics.MetricComputation(keys=[key], preprocessors=[], combiner=combiner(key, model_name))
            )
        return made

    return create


def _outputs(inputs: tfma.metrics.StandardMetricInputs, model_name: str) -> WindowOutputs:
    predictions = inputs.get_predictions(model_name)
    return {name: np.asarray(value) for name, value in predictions.items()}


class RatioOfSums(beam.CombineFn):
    """Sum of one output over all windows, divided by the sum of another (or by the number of windows)."""

    def __init__(self, key: tfma.metrics.MetricKey, model_name: str, output: str, over: str | None):
        self._key, self._model_name, self._output, self._over = key, model_name, output, over

    def create_accumulator(self) -> np.ndarray:
        """Start with sums of 0, [2]: numerator and denominator."""
        return np.zeros(2)

    def add_input(self, accumulator: np.ndarray, inputs: tfma.metrics.StandardMetricInputs) -> np.ndarray:
        """Add one window to the sums [2]."""
        outputs = _outputs(inputs, self._model_name)
        below = np.ones(1) if self._over is None else outputs[self._over]
        return accumulator + np.array([np.sum(outputs[self._output]), np.sum(below)], np.float64)

    def merge_accumulators(self, accumulators: Iterable[np.ndarray]) -> np.ndarray:
        """Add sums [2]."""
        return np.sum(list(accumulators), axis=0)

    def extract_output(self, accumulator: np.ndarray) -> dict[tfma.metrics.MetricKey, float]:
        """Return the ratio of the sums [2]; NaN, which fails every threshold, where there was nothing."""
        above, below = accumulator
        return {self._key: float(above / below) if below else float("nan")}


class MeanOutput(tfma.metrics.Metric):
    """Mean over windows of one scalar output of the model, e.g. `spectral_loss`."""

    def __init__(self, output: str, name: str | None = None, sources: str = ""):
        name = name or output
        super().__init__(
            _computations(name, lambda key, model_name: RatioOfSums(key, model_name, output, None)),
            name=name,
            output=output,
            sources=sources,
        )


class LossOver(tfma.metrics.Metric):
    """Spectral loss as a share of another output: `baseline_spectral_loss` (the network-free baseline on the same
    windows) or `reference_spectral_loss` (the full-size model of a sweep)."""

    def __init__(self, other: str, name: str = "", sources: str = ""):
        name = name or f"loss_over_{other.removesuffix('_spectral_loss')}"
        super().__init__(
            _computations(name, lambda key, model_name: RatioOfSums(key, model_name, "spectral_loss", other)),
            name=name,
            other=other,
            sources=sources,
        )


class MedianF0Error(tfma.metrics.Metric):
    """Median over all voiced frames of |f0 of the generated audio - f0 of the recording|, in cents.

    f0 is measured again on the generated audio. A frame in which the recording has a trusted pitch and the generated
    audio has none counts with `NO_PITCH_CENTS`, so that silence and noise cannot pass.
    """

    def __init__(
        self,
        sample_rate: int,
        frame_rate: int,
        tracker: str = "swift_f0",
        crepe_capacity: str = "tiny",
        crepe_viterbi: bool = True,
        octaves: int = 0,
        name: str = "f0_error_cents",
        sources: str = "",
    ):
        super().__init__(
            _computations(
                name,
                lambda key, model_name: _MedianCents(
                    key, model_name, (tracker, sample_rate, frame_rate, crepe_capacity, crepe_viterbi, octaves)
                ),
            ),
            name=name,
            sample_rate=sample_rate,
            frame_rate=frame_rate,
            tracker=tracker,
            crepe_capacity=crepe_capacity,
            crepe_viterbi=crepe_viterbi,
            octaves=octaves,
            sources=sources,
        )


class _MedianCents(beam.CombineFn):
    """Keeps a histogram of errors, so that partial results of many workers add up."""

    def __init__(
        self,
        key: tfma.metrics.MetricKey,
        model_name: str,
        tracker: tuple[str, int, int, str, bool, int],  # arguments of `Tracker`
    ):
        self._key, self._model_name, self._tracker = key, model_name, tracker

    def setup(self) -> None:
        """Load the tracker once a worker."""
        from data.features.tracker import Tracker

        self._measure = Tracker(*self._tracker)

    def create_accumulator(self) -> np.ndarray:
        """Start with counts of 0 by error, [bins]; the last bin holds `NO_PITCH_CENTS` and more."""
        return np.zeros(round(NO_PITCH_CENTS / CENTS_PER_BIN) + 1, np.int64)

    def add_input(self, accumulator: np.ndarray, inputs: tfma.metrics.StandardMetricInputs) -> np.ndarray:
        """Measure f0 on the generated audio of one window, and count the errors of its frames in [bins]."""
        outputs = _outputs(inputs, self._model_name)
        audio = np.nan_to_num(outputs[AUDIO].reshape(-1))  # NaN audio has no pitch
        f0_hz, f0_confidence = self._measure(audio)
        errors = f0_errors(
            outputs[F0_HZ].reshape(-1),
            outputs[F0_CONFIDENCE].reshape(-1),
            f0_hz,
            f0_confidence,
        )
        bins = np.minimum(errors / CENTS_PER_BIN, len(accumulator) - 1).astype(np.int64)
        return accumulator + np.bincount(bins, minlength=len(accumulator))

    def merge_accumulators(self, accumulators: Iterable[np.ndarray]) -> np.ndarray:
        """Add counts [bins]."""
        return np.sum(list(accumulators), axis=0)

    def extract_output(self, accumulator: np.ndarray) -> dict[tfma.metrics.MetricKey, float]:
        """Return the median of counts [bins], to half a cent; NaN, which fails every threshold, where all are 0."""
        total = accumulator.sum()
        if not total:
            return {self._key: float("nan")}
        middle = int(np.searchsorted(np.cumsum(accumulator), (total + 1) // 2))
        return {self._key: (middle + 0.5) * CENTS_PER_BIN}


def f0_errors(
    f0_hz: np.ndarray,
    f0_confidence: np.ndarray,
    generated_hz: np.ndarray,
    generated_confidence: np.ndarray,
) -> np.ndarray:
    """Compute |error| in cents of every frame in which the recording has a trusted pitch.

    Args:
      f0_hz: [frames], Hz, of the recording.
      f0_confidence: [frames], 0 to 1.
      generated_hz: [frames], Hz, measured on the generated audio.
      generated_confidence: [frames], 0 to 1.

    Returns:
      [voiced frames], at most `NO_PITCH_CENTS`.
    """
    voiced = is_voiced(f0_confidence)
    cents = np.abs(1200 * np.log2(np.maximum(generated_hz, 1e-3) / np.maximum(f0_hz, 1e-3)))
    cents = np.where(is_voiced(generated_confidence), cents, NO_PITCH_CENTS)
    return np.minimum(cents[voiced], NO_PITCH_CENTS)
