"""Note detection, quantiles and dataset statistics: as in ddsp and scikit-learn, and at the edges."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from common.pitch import hz_to_midi
from data.features.statistics import DatasetStatistics, QuantileTransformer, dataset_statistics, detect_notes, smooth


def power_db_centred(audio: np.ndarray, window: int, hop: int) -> np.ndarray:
    """RMS power in dB with a floor of -80, frames centred on multiples of the hop (ddsp's compute_power)."""
    padded = np.pad(audio.astype(np.float64), ((0, 0), (window // 2, window // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window, axis=-1)[:, ::hop]
    return np.maximum(10.0 * np.log10(np.maximum(np.mean(frames**2, axis=-1), 1e-20)), -80.0)


def test_golden_dataset_statistics(golden):
    fixture = golden("dataset_statistics")
    confidence, loudness = fixture["f0_confidence"], fixture["loudness_db"]
    np.testing.assert_allclose(smooth(confidence**2, 40), fixture["smooth_40"], atol=1e-6)
    np.testing.assert_allclose(smooth(confidence[0], 3), fixture["smooth_1d_3"], atol=1e-6)

    mask, ratio = detect_notes(loudness, confidence)
    np.testing.assert_array_equal(mask, fixture["mask_on"])
    np.testing.assert_allclose(ratio, fixture["note_on_ratio"], atol=1e-5)

    power = power_db_centred(fixture["audio"], window=1024, hop=64)
    measured = dataset_statistics(fixture["f0_hz"], loudness, confidence, power)
    for feature in ("pitch", "power", "loudness", "pitch_note", "power_note", "loudness_note"):
        for name in ("mean", "max", "min", "mean_max", "mean_min", "std"):
            expected = fixture[f"stat_{name}_{feature}"]
            assert getattr(getattr(measured, feature), name) == pytest.approx(expected, abs=1e-3), (name, feature)
    np.testing.assert_allclose(measured.loudness_quantiles.quantiles, fixture["stats_quantiles"][:, 0], atol=1e-3)
    np.testing.assert_allclose(measured.loudness_quantiles.references, fixture["stats_references"], atol=1e-12)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_golden_quantile_transform(golden, distribution):
    fixture = golden("quantile_transform")
    transformer = QuantileTransformer.fit(fixture["x"], distribution=distribution)
    ranks_of_y = transformer.transform(fixture["y"])
    np.testing.assert_allclose(transformer.quantiles, fixture[f"{distribution}_quantiles"][:, 0], atol=1e-9)
    np.testing.assert_allclose(transformer.transform(fixture["x"]), fixture[f"{distribution}_x"], atol=1e-9)
    np.testing.assert_allclose(ranks_of_y, fixture[f"{distribution}_y"], atol=1e-9)
    inverse = transformer.inverse_transform(ranks_of_y)
    np.testing.assert_allclose(inverse, fixture[f"{distribution}_inverse_of_y"], atol=1e-9)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_quantiles_agree_with_scikit_learn(distribution):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rng = np.random.default_rng(3)
    x, y = np.round(rng.normal(-30.0, 8.0, 700), 1), np.linspace(-70.0, 0.0, 501)
    oracle = preprocessing.QuantileTransformer(n_quantiles=101, output_distribution=distribution)
    oracle.fit(x[:, np.newaxis])
    ours = QuantileTransformer.fit(x, n_quantiles=101, distribution=distribution)
    ranks = ours.transform(y)
    np.testing.assert_allclose(ranks, oracle.transform(y[:, np.newaxis])[:, 0], atol=1e-9)
    expected = oracle.inverse_transform(ranks[:, np.newaxis])[:, 0]
    np.testing.assert_allclose(ours.inverse_transform(ranks), expected, atol=1e-9)


def test_smooth_averages_with_zeros_beyond_the_ends():
    np.testing.assert_allclose(smooth([3.0, 3.0, 3.0, 3.0], 3), [2.0, 3.0, 3.0, 2.0])
    # An even window looks one frame further ahead than back.
    np.testing.assert_allclose(smooth([0.0, 0.0, 4.0, 0.0, 0.0], 4), [1.0, 1.0, 1.0, 1.0, 0.0])


def test_constant_values_are_of_middle_rank_and_come_back():
    transformer = QuantileTransformer.fit(np.full(300, -33.0))
    np.testing.assert_array_equal(transformer.transform([-40.0, -33.0, -20.0]), [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(transformer.inverse_transform([0.0, 0.5, 1.0]), [-33.0] * 3)


def test_quantiles_of_nothing_are_an_error():
    with pytest.raises(ValueError, match="no values"):
        QuantileTransformer.fit(np.zeros(0))


def test_one_value_makes_a_transformer():
    transformer = QuantileTransformer.fit([-12.0])
    np.testing.assert_array_equal(transformer.inverse_transform(transformer.transform([-12.0])), [-12.0])


@pytest.mark.parametrize(
    ("loudness", "confidence"),
    [(-80.0, 1.0), (-80.0, 0.0), (-20.0, 0.0), (-20.0, 0.5)],
    ids=["silent but pitched", "silent", "unvoiced", "doubtful"],
)
def test_no_note_is_found_where_none_is(loudness, confidence):
    mask, ratio = detect_notes(np.full(300, loudness), np.full(300, confidence))
    assert not mask.any()
    assert np.all(np.isfinite(ratio))


def test_a_clip_shorter_than_the_smoothing_window_still_has_its_note():
    mask, ratio = detect_notes(np.full(20, -20.0), np.ones(20))
    assert mask[8:12].all()
    assert np.all(np.isfinite(ratio))


def sample(examples: int = 3, time: int = 600, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "f0_hz": rng.uniform(200.0, 800.0, (examples, time)),
        "loudness_db": rng.uniform(-40.0, -5.0, (examples, time)),
        "f0_confidence": rng.uniform(0.8, 1.0, (examples, time)),
    }


def numbers(raw: dict) -> list[float]:
    flat = [n for part in raw.values() for n in (part.values() if isinstance(part, dict) else part)]
    return [n for one in flat for n in (one if isinstance(one, list) else [one])]


def test_json_has_101_rounded_quantiles_and_reads_back_to_itself():
    measured = dataset_statistics(**sample())
    raw = measured.to_json()
    text = json.dumps(raw, allow_nan=False)
    assert len(raw["loudness_quantiles"]) == 101
    assert all(number == round(number, 4) for number in numbers(raw))
    read = DatasetStatistics.from_json(json.loads(text))
    assert read.to_json() == raw
    assert read.power is None
    assert read.pitch.mean == pytest.approx(measured.pitch.mean, abs=1e-3)


def test_json_keeps_power_where_it_was_measured():
    features = sample()
    measured = dataset_statistics(**features, power_db=features["loudness_db"] - 10.0)
    read = DatasetStatistics.from_json(measured.to_json())
    assert read.power is not None
    assert read.power.mean == pytest.approx(measured.loudness.mean - 10.0, abs=1e-3)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: raw.pop("pitch_note"), "pitch_note"),
        (lambda raw: raw.pop("loudness_quantiles"), "loudness_quantiles"),
        (lambda raw: raw["pitch"].pop("std"), "pitch must hold"),
        (lambda raw: raw.update(loudness_quantiles=[]), "finite numbers"),
        (lambda raw: raw.update(loudness_quantiles=[1.0, math.nan]), "finite numbers"),
        (lambda raw: raw.update(loudness_quantiles=[1.0, 0.5]), "never fall"),
    ],
)
def test_damaged_json_is_refused_by_name(damage, message):
    raw = dataset_statistics(**sample()).to_json()
    damage(raw)
    with pytest.raises(ValueError, match=message):
        DatasetStatistics.from_json(raw)


@pytest.mark.parametrize("time", [1, 5, 20, 21, 200])
def test_short_examples_give_finite_statistics(time):
    raw = dataset_statistics(**sample(examples=2, time=time)).to_json()
    assert np.all(np.isfinite(numbers(raw)))


def test_an_example_without_notes_counts_whole():
    features = sample(examples=2)
    features["f0_confidence"][1] = 0.0
    features["f0_hz"][1] = 1500.0
    assert dataset_statistics(**features).pitch_note.max == pytest.approx(hz_to_midi(1500.0))


def test_silence_gives_finite_statistics():
    features = sample()
    features["loudness_db"][:] = -80.0
    features["f0_confidence"][:] = 0.0
    measured = dataset_statistics(**features)
    assert measured.loudness_note.mean == -80.0
    assert np.all(np.isfinite(numbers(measured.to_json())))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f0_hz": np.ones((3, 599))}, "one shape"),
        ({name: np.ones(600) for name in ("f0_hz", "loudness_db", "f0_confidence")}, "one shape"),
        ({name: np.ones((3, 0)) for name in ("f0_hz", "loudness_db", "f0_confidence")}, "no frames"),
        ({"loudness_db": np.full((3, 600), np.nan)}, "loudness_db .* not finite"),
    ],
)
def test_bad_features_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        dataset_statistics(**{**sample(), **change})


def _distribution(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Loudness in dB of 20,000 note frames."""
    match kind:
        case "steep":
            return -80.0 + 70.0 * rng.uniform(size=20_000) ** 0.05
        case "flat":
            return np.full(20_000, -31.0) + rng.uniform(0.0, 0.01, 20_000)
        case "stepped":
            return rng.choice([-70.0, -52.0, -40.0, -38.0, -20.0, -11.0], 20_000) + rng.normal(0.0, 0.01, 20_000)
        case _:
            return np.concatenate([rng.normal(-60.0, 2.0, 9_000), rng.normal(-20.0, 3.0, 11_000)])


@pytest.mark.parametrize("kind", ["steep", "flat", "stepped", "two-humped"])
@pytest.mark.parametrize("seed", range(5))
def test_quantiles_read_from_a_manifest_err_by_at_most_half_a_db_and_cost_at_most_1_kb(kind, seed):
    exact = QuantileTransformer.fit(_distribution(kind, np.random.default_rng(seed)))
    measured = replace(dataset_statistics(**sample()), loudness_quantiles=exact)
    raw = measured.to_json()
    read = DatasetStatistics.from_json(json.loads(json.dumps(raw)))
    ranks = np.linspace(0.0, 1.0, 20_001)
    error = np.abs(read.loudness_quantiles.inverse_transform(ranks) - exact.inverse_transform(ranks))
    assert error.max() <= 0.501
    added = {name: raw[name] for name in ("loudness_details", "pitch_shares") if name in raw}
    assert len(json.dumps(added)) <= 1000
    assert np.all(np.diff(read.loudness_quantiles.quantiles) >= 0.0)


def test_statistics_without_details_are_read_as_they_were():
    raw = dataset_statistics(**sample()).to_json()
    del raw["pitch_shares"]
    raw.pop("loudness_details", None)
    read = DatasetStatistics.from_json(raw)
    assert read.pitch_shares is None
    np.testing.assert_array_equal(read.loudness_quantiles.quantiles, raw["loudness_quantiles"])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("loudness_details", {"count": 9, "indices": [9], "quantiles": [-3.0]}, "loudness_details"),
        ("loudness_details", {"count": 9, "indices": [1], "quantiles": [math.nan]}, "finite"),
        ("pitch_shares", {"lowest": 120, "shares": [0.1] * 9}, "pitch_shares"),
        ("pitch_shares", {"lowest": 60, "shares": [-0.1]}, "at least 0"),
    ],
)
def test_broken_details_are_refused(name, value, message):
    raw = dataset_statistics(**sample()).to_json()
    with pytest.raises(ValueError, match=message):
        DatasetStatistics.from_json({**raw, name: value})
