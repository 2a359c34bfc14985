"""The configuration of TFMA: metrics, slices, and limits for a blessing."""

from __future__ import annotations

import json
from typing import Any

from tensorflow_model_analysis.proto import config_pb2 as tfma  # TFMA 0.52 lost these names from its top level

from common.audio import AudioConfig
from common.features import DYNAMICS, RECORDING, REGISTER, SPAN
from components.evaluator.config import EvaluatorConfig
from data.config import PitchConfig

METRICS = "components.evaluator.metrics"
ORIGINALS = "components.evaluator.against_original"
OCTAVES = "components.evaluator.octave_errors"
SLICES = ((SPAN,), (RECORDING,), (REGISTER,), (DYNAMICS,))


def eval_config(
    limits: EvaluatorConfig, audio: AudioConfig, pitch: PitchConfig, sources: str, tolerance: float | None = None
) -> tfma.EvalConfig:
    """Compare candidate and last blessed model: overall, and by span, recording, register and dynamics.

    Every limit applies to all windows together: a recording may have a single one. That no model may be worse than the
    last blessed one applies to every span by itself as well. A model that fits bad recordings beats the last blessed
    one on these; it must not be worse on the good ones for that, however many bad ones there are.

    Args:
      limits: for a blessing.
      audio: rates of the model's audio.
      pitch: the tracker that measures f0 on the generated audio, as it did on the recordings.
      sources: fingerprint of the code that measures.
      tolerance: share by which the loss may exceed that of a sweep's full-size reference; None where there is none.
    """
    rates = {"sample_rate": audio.sample_rate, "frame_rate": audio.frame_rate}

    def metric(
        class_name: str, config: dict[str, Any], *limits: tfma.PerSliceMetricThreshold, module: str = METRICS
    ) -> tfma.MetricConfig:
        settings = json.dumps({**config, "sources": sources})
        return tfma.MetricConfig(class_name=class_name, module=module, config=settings, per_slice_thresholds=limits)

    metrics = [
        metric(
            "MeanOutput",
            {"output": "spectral_loss"},
            _no_worse_by(limits.max_loss_increase),
            _no_worse_by(limits.max_loss_increase, SPAN),
        ),
        metric("MeanOutput", {"output": "baseline_spectral_loss"}),
        metric("LossOver", {"other": "baseline_spectral_loss"}, _at_most(limits.max_loss_over_baseline)),
        metric("MeanOutput", {"output": "loudness_l1_db"}, _at_most(limits.max_loudness_error_db)),
        metric("MedianF0Error", {**rates, **pitch.model_dump()}, _at_most(limits.max_f0_error_cents)),
        metric("AgainstOriginal", {"sample_rate": audio.sample_rate}, module=ORIGINALS),
        metric(
            "OctaveErrors",
            {"sample_rate": audio.sample_rate},
            _at_most(limits.max_octave_error_db),
            module=OCTAVES,
        ),
        tfma.MetricConfig(class_name="ExampleCount"),
    ]
    if tolerance is not None:
        metrics.append(metric("LossOver", {"other": "reference_spectral_loss"}, _at_most(1 + tolerance)))
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(name=name, is_baseline=baseline, signature_name="eval_losses", model_type="tf_generic")
            for name, baseline in (("candidate", False), ("last_blessed", True))
        ],
        slicing_specs=[tfma.SlicingSpec(), *(tfma.SlicingSpec(feature_keys=keys) for keys in SLICES)],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
        options={"disabled_outputs": {"values": ["attributions"]}},
    )


def _at_most(bound: float) -> tfma.PerSliceMetricThreshold:
    return tfma.PerSliceMetricThreshold(
        slicing_specs=[tfma.SlicingSpec()],
        threshold=tfma.MetricThreshold(value_threshold=tfma.GenericValueThreshold(upper_bound={"value": bound})),
    )


def _no_worse_by(share: float, *of_each: str) -> tfma.PerSliceMetricThreshold:
    """Limit the change from the last blessed model, over all windows, or over those of each value of a feature."""
    change = tfma.GenericChangeThreshold(direction=tfma.MetricDirection.LOWER_IS_BETTER, relative={"value": share})
    return tfma.PerSliceMetricThreshold(
        slicing_specs=[tfma.SlicingSpec(feature_keys=of_each)],
        threshold=tfma.MetricThreshold(change_threshold=change),
    )
