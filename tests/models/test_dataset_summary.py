import numpy as np
import pytest

from data.features.statistics import dataset_statistics
from models import dataset_summary
from models.dataset_summary import covered_seconds, summarise_dataset
from tests.data.written_examples import write_examples

FRAMES = 100


def window(recording: str, start: float, level: float = -30.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(round(start * 10))
    return {
        "recording_id": np.array(recording),
        "start_seconds": np.array([start]),
        "f0_hz": 220.0 + 110.0 * rng.random(FRAMES),
        "loudness_db": level + 10.0 * rng.random(FRAMES),
        "f0_confidence": np.full(FRAMES, 0.9),
        "rms_energy": 0.1 * rng.random(FRAMES),
    }


TRAIN = [window("aa", 0.0), window("aa", 1.0), window("aa", 6.0), window("bb", 0.0)]
EVAL = [window("aa", 20.0), window("cc", 0.0)]


def test_audio_in_overlapping_windows_counts_once():
    spans = [("a", 0.0), ("a", 1.0), ("a", 2.0), ("a", 10.0), ("b", 5.0)]
    assert covered_seconds(spans, 4.0) == 6.0 + 4.0 + 4.0
    assert covered_seconds(reversed(spans), 4.0) == 14.0


def test_statistics_are_those_of_the_training_windows(tmp_path):
    write_examples(tmp_path / "train", TRAIN)
    write_examples(tmp_path / "eval", EVAL)
    read = summarise_dataset(tmp_path / "train", tmp_path / "eval", 4.0, with_power=True)
    columns = (np.stack([one[name] for one in TRAIN]) for name in ("f0_hz", "loudness_db", "f0_confidence"))
    power = 20 * np.log10(np.stack([one["rms_energy"] for one in TRAIN]))
    expected = dataset_statistics(*columns, np.maximum(power, -80.0)).to_json()
    found = read.statistics.to_json()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=2e-3), name
    assert read.to_json() == {
        "fingerprint": read.fingerprint,
        "recordings": 3,
        "seconds": 5.0 + 4.0 + 4.0,
        "train_windows": 4,
        "eval_windows": 2,
    }
    assert summarise_dataset(tmp_path / "train", tmp_path / "eval", 4.0, with_power=False).statistics.power is None


def test_the_fingerprint_depends_on_the_recordings_of_each_split_and_on_nothing_else(tmp_path):
    write_examples(tmp_path / "train", TRAIN)
    write_examples(tmp_path / "eval", EVAL)
    first = summarise_dataset(tmp_path / "train", tmp_path / "eval", 4.0, False).fingerprint
    write_examples(tmp_path / "shuffled", TRAIN[::-1], shards=2)
    assert summarise_dataset(tmp_path / "shuffled", tmp_path / "eval", 4.0, False).fingerprint == first
    write_examples(tmp_path / "other", [*TRAIN, window("dd", 0.0)])
    assert summarise_dataset(tmp_path / "other", tmp_path / "eval", 4.0, False).fingerprint != first
    assert summarise_dataset(tmp_path / "train", tmp_path / "other", 4.0, False).fingerprint != first


def test_of_very_many_windows_evenly_spaced_ones_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_summary, "SUMMARY_WINDOWS", 3)
    levels = [-60.0, -20.0, -60.0, -20.0, -60.0, -20.0]
    write_examples(tmp_path / "train", [window("aa", 4.0 * i, level) for i, level in enumerate(levels)])
    write_examples(tmp_path / "eval", EVAL)
    read = summarise_dataset(tmp_path / "train", tmp_path / "eval", 4.0, False)
    assert read.statistics.loudness.max < -49.0  # windows 0, 2 and 4
    assert read.train_windows == 6


def test_no_examples_at_all_is_an_error_that_names_the_folder(tmp_path):
    write_examples(tmp_path / "train", [])
    write_examples(tmp_path / "eval", EVAL)
    with pytest.raises(ValueError, match="train: no examples"):
        summarise_dataset(tmp_path / "train", tmp_path / "eval", 4.0, False)
