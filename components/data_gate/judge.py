"""The decision on a batch of recordings, from its statistics and anomalies alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tensorflow_data_validation as tfdv
from tensorflow_data_validation import constants
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from common.features import F0_HZ, LOUDNESS_DB, SPAN
from common.verdict import Verdict
from components.data_gate.config import DataGateConfig
from data.files.listing import number_of

DRIFT_FEATURES = (F0_HZ, LOUDNESS_DB)
SPAN_SLICE = re.compile(rf"{SPAN}_(span-\d+)")  # the slice of a span, as TFDV names it


def judge(
    statistics: Mapping[str, statistics_pb2.DatasetFeatureStatisticsList],
    anomalies: Mapping[str, anomalies_pb2.Anomalies],
    schema: schema_pb2.Schema,
    previous: statistics_pb2.DatasetFeatureStatisticsList | None,
    config: DataGateConfig,
) -> Verdict:
    """Decide whether a model may be trained on this batch.

    Args:
      statistics: by split, `train` and `eval`; over all, and by span.
      anomalies: by split, what ExampleValidator found.
      schema: the curated schema of these statistics.
      previous: training statistics of the last accepted batch, or None for a first one.
      config: limits.
    """
    windows = {split: int(_overall(of).num_examples) for split, of in statistics.items()}
    reasons = [
        f"{split}: {name or 'dataset'}: {info.short_description}: {info.description}".rstrip(": ")
        for split, found in sorted(anomalies.items())
        for name, info in [*sorted(found.anomaly_info.items()), *_dataset_anomaly(found)]
    ]
    reasons += config.too_few(windows)
    newest = _newest(statistics["train"])
    drift = measure_drift(newest, schema, previous, config) if previous is not None else {}
    reasons += [_describe_drift(name, value, config) for name, value in drift.items() if value > config.max_drift]
    return Verdict.of("DataGate", reasons, {"windows": windows, "drift": drift})


def _overall(of: statistics_pb2.DatasetFeatureStatisticsList) -> statistics_pb2.DatasetFeatureStatistics:
    """Pick the statistics of all examples among those of slices."""
    return next((part for part in of.datasets if part.name == constants.DEFAULT_SLICE_KEY), of.datasets[0])


def _newest(of: statistics_pb2.DatasetFeatureStatisticsList) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Pick the newest span's statistics: among many earlier ones, another instrument in it would not show."""
    spans = {found[1]: part for part in of.datasets if (found := SPAN_SLICE.fullmatch(part.name))}
    found = spans[max(spans, key=number_of)] if spans else _overall(of)
    return statistics_pb2.DatasetFeatureStatisticsList(datasets=[found])


def _dataset_anomaly(found: anomalies_pb2.Anomalies) -> list[tuple[str, anomalies_pb2.AnomalyInfo]]:
    return [("", found.dataset_anomaly_info)] if found.HasField("dataset_anomaly_info") else []


def _describe_drift(feature: str, value: float, config: DataGateConfig) -> str:
    return (
        f"{feature}: drifted from the last accepted recordings by {value:.3f} (Jensen-Shannon divergence, at most "
        f"{config.max_drift:g}): is it the same instrument? If this is meant, "
        f"--set data_gate.max_drift={min(1.0, value * 1.1):.2f}"
    )


def measure_drift(
    train: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
    previous: statistics_pb2.DatasetFeatureStatisticsList,
    config: DataGateConfig,
) -> dict[str, float]:
    """Measure the Jensen-Shannon divergence, base 2, of each drift feature's histogram between two batches.

    Args:
      train: of the newest recordings.
      schema: the curated one.
      previous: of the last accepted batch; all of it counts.
      config: limits.
    """
    with_limits = schema_pb2.Schema()
    with_limits.CopyFrom(schema)
    for feature in with_limits.feature:
        if feature.name in DRIFT_FEATURES:
            feature.drift_comparator.jensen_shannon_divergence.threshold = config.max_drift
    compared = tfdv.validate_statistics(train, with_limits, previous_statistics=previous)
    return {
        info.path.step[0]: round(measure.value, 6)
        for info in compared.drift_skew_info
        for measure in info.drift_measurements
    }
