"""Preprocessing, run by Beam and TensorFlow Transform as the pipeline runs it."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.preprocessing import read_statistics
from tests.models.saved_model.transform_graphs import build_transform_graph

FRAMES, HOP, EXAMPLES = 50, 4, 12


def synthetic_examples() -> list[dict[str, np.ndarray]]:
    """Windows whose first ten frames are near silence with a wild f0, and whose next five sound but are unvoiced."""
    random = np.random.default_rng(0)
    examples = []
    for index in range(EXAMPLES):
        f0 = 440.0 * 2.0 ** (random.uniform(-6, 6, FRAMES) / 12)
        loudness = random.uniform(-45, -20, FRAMES)
        confidence = random.uniform(0.6, 1.0, FRAMES)
        f0[:10], loudness[:10] = 3000.0, -75.0
        f0[10:15], confidence[10:15] = 60.0, 0.1
        examples.append(
            {
                "audio": random.uniform(-1, 1, FRAMES * HOP).astype(np.float32),
                "f0_hz": f0.astype(np.float32),
                "f0_confidence": confidence.astype(np.float32),
                "loudness_db": loudness.astype(np.float32),
                "rms_energy": (10 ** ((loudness - 5) / 20)).astype(np.float32),
                "recording": np.array([f"{index}.wav".encode()]),
            }
        )
    return examples


@pytest.fixture(scope="module")
def transformed(tmp_path_factory) -> tuple[Path, list[dict[str, np.ndarray]], list[dict[str, np.ndarray]]]:
    """The transform graph's folder, the raw examples and the transformed ones."""
    import tensorflow as tf
    import tensorflow_transform as tft

    examples = synthetic_examples()
    graph = build_transform_graph(tmp_path_factory.mktemp("transform"), examples, ["loudness", "rms"])
    layer = tft.TFTransformOutput(str(graph)).transform_features_layer()
    batch = layer({name: tf.constant(stacked(examples, name)) for name in examples[0]})
    data = [{name: values[i].numpy() for name, values in batch.items()} for i in range(EXAMPLES)]
    return graph, examples, data


def stacked(examples, name) -> np.ndarray:
    return np.stack([example[name] for example in examples])


def masks(raw) -> tuple[np.ndarray, np.ndarray]:
    sounding = stacked(raw, "loudness_db") > -70
    return sounding, sounding & (stacked(raw, "f0_confidence") >= 0.5)


def test_pitch_is_standardised_by_the_frames_that_sound_and_can_be_trusted(transformed) -> None:
    _, raw, data = transformed
    _, voiced = masks(raw)
    midi = 69 + 12 * np.log2(stacked(raw, "f0_hz").astype(np.float64) / 440)
    expected = (midi - midi[voiced].mean()) / midi[voiced].std()
    np.testing.assert_allclose(stacked(data, "f0_scaled"), expected, atol=2e-5)


def test_level_is_standardised_by_the_frames_that_sound(transformed) -> None:
    _, raw, data = transformed
    sounding, _ = masks(raw)
    rms_db = 20 * np.log10(stacked(raw, "rms_energy").astype(np.float64))
    for name, db in {"loudness_scaled": stacked(raw, "loudness_db"), "rms_scaled": np.maximum(rms_db, -80)}.items():
        expected = (db - db[sounding].mean()) / db[sounding].std()
        np.testing.assert_allclose(stacked(data, name), expected, atol=2e-5, err_msg=name)


def test_everything_else_passes_through_untouched(transformed) -> None:
    _, raw, data = transformed
    for name in raw[0]:
        np.testing.assert_array_equal(stacked(data, name), stacked(raw, name), err_msg=name)


def test_the_statistics_can_be_read_from_the_transform_graph(transformed) -> None:
    graph, raw, _ = transformed
    sounding, voiced = masks(raw)
    midi = 69 + 12 * np.log2(stacked(raw, "f0_hz") / 440)
    statistics = read_statistics(str(graph))
    assert set(statistics) == {"f0", "loudness", "rms"}
    for name, values in {"f0": midi[voiced], "loudness": stacked(raw, "loudness_db")[sounding]}.items():
        found = statistics[name]
        assert found["mean"] == pytest.approx(values.mean(), abs=1e-3)
        assert found["variance"] == pytest.approx(values.var(), rel=1e-4)
        assert found["min"] == pytest.approx(values.min(), abs=1e-3)
        assert found["max"] == pytest.approx(values.max(), abs=1e-3)
        assert len(found["quantiles"]) == 101
        np.testing.assert_allclose(found["quantiles"], np.percentile(values, range(101)), atol=0.3, err_msg=name)
    assert json.loads(json.dumps(statistics)) == statistics


def test_golden_preprocessing(golden, transformed) -> None:
    """Before they are standardised, pitch and RMS energy are ddsp's (there: MIDI / 127, dB / 80 + 1)."""
    import tensorflow_transform as tft

    fixture = golden("preprocessing")
    f0_hz = fixture["f0power_f0_hz"].reshape(-1, FRAMES)
    rms_energy = 10 ** (fixture["f0power_pw_db"].reshape(-1, FRAMES) / 20)
    graph, _, _ = transformed
    layer = tft.TFTransformOutput(str(graph)).transform_features_layer()
    level = np.full_like(f0_hz, -20)
    result = layer({"f0_hz": f0_hz, "rms_energy": rms_energy, "loudness_db": level, "f0_confidence": level})
    statistics = read_statistics(str(graph))
    unscaled = {k: result[f"{k}_scaled"] * s["deviation"] + s["mean"] for k, s in statistics.items()}
    np.testing.assert_allclose(np.ravel(unscaled["f0"]) / 127, fixture["f0power_f0_scaled"].ravel(), atol=1e-5)
    np.testing.assert_allclose(np.ravel(unscaled["rms"]) / 80 + 1, fixture["f0power_pw_scaled"].ravel(), atol=1e-5)


def test_a_graph_without_statistics_is_refused(tmp_path) -> None:
    examples = [{"x": np.ones(1, np.float32)}]
    graph = build_transform_graph(tmp_path, examples, [], preprocess=lambda features, _: dict(features))
    with pytest.raises(ValueError, match="no statistics"):
        read_statistics(str(graph))
