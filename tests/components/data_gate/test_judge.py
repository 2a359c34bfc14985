"""DataGate accepts sound recordings, and refuses others with the feature and the reason."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from components.data_gate.config import DataGateConfig
from components.data_gate.judge import judge
from data.windows.schema import example_schema, statistics_features, statistics_schema
from pipeline.configuration.loading import load

AUDIO = load("violin", ["audio.window_seconds=1.0", "audio.frame_rate=25"]).audio
SCHEMA = statistics_schema(AUDIO)
LIMITS = DataGateConfig(max_drift=0.35, min_train_windows=8, min_eval_windows=2)


def windows(count: int, midi: float = 69.0, seed: int = 0, **changed: Any) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frames = AUDIO.window_frames

    def one() -> dict[str, Any]:
        return {
            "f0_hz": 440 * 2 ** ((midi - 69 + random.normal(0, 3, frames)) / 12),
            "f0_confidence": random.uniform(0.5, 1, frames),
            "loudness_db": random.normal(-30, 5, frames),
            "rms_energy": random.uniform(0, 0.3, frames),
            **{"mean_loudness_db": -30.0, "median_f0_midi": midi, "voiced_fraction": 0.9, "mean_confidence": 0.8},
            **{"start_seconds": 1.0, "recording": "a.wav", "recording_id": "ab", "register": "C4-B4", "dynamics": "x"},
            "span": "span-10",
            **changed,
        }

    return pd.DataFrame([one() for _ in range(count)])


def statistics(frame: pd.DataFrame) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Over all windows, and by span, as StatisticsGen makes them."""
    parts = {"All Examples": frame, **{f"span_{name}": part for name, part in frame.groupby("span")}}
    found = statistics_pb2.DatasetFeatureStatisticsList()
    for name, part in parts.items():
        [of] = tfdv.generate_statistics_from_dataframe(part.reset_index(drop=True)).datasets
        of.name = name
        found.datasets.append(of)
    return found


def verdict_on(train: pd.DataFrame, evaluation: pd.DataFrame, previous: pd.DataFrame | None = None) -> Any:
    by_split = {"train": statistics(train), "eval": statistics(evaluation)}
    anomalies: dict[str, anomalies_pb2.Anomalies] = {
        split: tfdv.validate_statistics(of, SCHEMA) for split, of in by_split.items()
    }
    return judge(by_split, anomalies, SCHEMA, statistics(previous) if previous is not None else None, LIMITS)


def test_sound_recordings_are_accepted_with_and_without_a_previous_span():
    assert verdict_on(windows(10), windows(3)).blessed
    again = verdict_on(windows(10), windows(3), previous=windows(12, seed=5))
    assert again.blessed
    assert set(again.figures["drift"]) == {"f0_hz", "loudness_db"}


def test_another_instrument_is_drift_and_the_reason_says_how_to_mean_it():
    verdict = verdict_on(windows(10, midi=45.0), windows(3, midi=45.0), previous=windows(12, midi=84.0))
    assert not verdict.blessed
    assert any(
        reason.startswith("f0_hz: drifted") and "--set data_gate.max_drift" in reason for reason in verdict.reasons
    )


def test_another_instrument_in_the_newest_span_is_drift_however_many_spans_were_there_before():
    earlier, newest = windows(9, span="span-9"), windows(3, midi=45.0, seed=1)
    verdict = verdict_on(pd.concat([earlier, newest]), windows(3), previous=windows(12, seed=5))
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["f0_hz"]
    assert verdict.figures["windows"] == {"train": 12, "eval": 3}
    unchanged = verdict_on(pd.concat([windows(9, span="span-9"), windows(3, seed=1)]), windows(3), earlier)
    assert unchanged.blessed


@pytest.mark.parametrize(
    ("feature", "value"),
    [("f0_hz", np.full(25, 9000.0)), ("loudness_db", np.full(25, -300.0)), ("f0_confidence", np.full(25, 2.0))],
)
def test_values_outside_their_domain_name_split_and_feature(feature: str, value: np.ndarray):
    verdict = verdict_on(windows(10), windows(3, **{feature: value}))
    assert [reason for reason in verdict.reasons if reason.startswith(f"eval: {feature}: ")]
    assert not [reason for reason in verdict.reasons if reason.startswith("train:")]


def test_not_a_number_is_an_anomaly():
    verdict = verdict_on(windows(10, loudness_db=np.full(25, np.nan)), windows(3))
    assert any("loudness_db" in reason and "NaN" in reason for reason in verdict.reasons)


def test_too_few_windows_are_refused_by_split():
    verdict = verdict_on(windows(7), windows(1))
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["train", "eval"]


def test_the_example_schema_is_the_curated_one_with_audio_and_shapes():
    names = [feature.name for feature in example_schema(AUDIO).feature]
    assert set(names) == {*statistics_features(), "audio"}, "and not the original: Transform would read it"
    shapes = {one.name: [dim.size for dim in one.shape.dim] for one in example_schema(AUDIO).feature}
    assert shapes["audio"] == [48000]
    assert shapes["f0_hz"] == [25]
    assert shapes["voiced_fraction"] == []


def test_the_schema_importer_writes_both_schemas(tmp_path: Path):
    from components.schema_importer.component import SchemaImporter

    made = {name: SimpleNamespace(uri=str(tmp_path / name)) for name in ("schema", "statistics")}
    SchemaImporter.EXECUTOR_SPEC.executor_class._FUNCTION(  # the decorated function itself
        **made, audio=AUDIO.model_dump_json(), source_fingerprint=""
    )
    whole = tfdv.load_schema_text(str(tmp_path / "schema" / "schema.pbtxt"))
    assert whole == example_schema(AUDIO)
    assert tfdv.load_schema_text(str(tmp_path / "statistics" / "schema.pbtxt")) == SCHEMA
