import json

import numpy as np
import pytest

from components.browser_validator.cases import make_cases, sweep, write_cases
from tests.components.browser_validator.exported import write_eval

NAMES = ["f0_hz", "loudness_db"]


@pytest.fixture
def cases(tmp_path):
    write_eval(tmp_path / "eval")
    return {case.name: case for case in make_cases(tmp_path / "eval", NAMES, frame_rate=250, hop=64, seconds=1.0)}


def test_real_pieces_have_the_configured_length_and_the_sweep_another_one_that_is_no_multiple(tmp_path):
    write_eval(tmp_path / "eval")
    cases = make_cases(tmp_path / "eval", NAMES, frame_rate=250, hop=64, seconds=1.5)
    assert [(case.name, case.features["f0_hz"].shape) for case in cases] == [
        ("loudest", (1, 375, 1)),
        ("middling", (1, 375, 1)),
        ("sweep", (1, 250, 1)),
    ]


def test_windows_shorter_than_requested_are_taken_whole(tmp_path):
    write_eval(tmp_path / "eval", frames=100)
    cases = make_cases(tmp_path / "eval", NAMES, frame_rate=250, hop=64, seconds=1.0)
    assert cases[0].features["f0_hz"].shape == (1, 100, 1)
    assert cases[0].noise.shape == (1, 6400)


def test_the_loudest_piece_is_the_loudest_stretch_of_the_loudest_window(cases):
    loudness = -25.0 + 5.0 * np.sin(3.0 * np.arange(500) / 250.0)
    best = max(np.mean(loudness[start : start + 250]) for start in range(251))
    assert np.mean(cases["loudest"].features["loudness_db"]) == pytest.approx(best, abs=1e-3)
    assert np.mean(cases["middling"].features["loudness_db"]) == pytest.approx(best - 10.0, abs=1e-3)


def test_noise_is_uniform_and_the_same_every_time(cases, tmp_path):
    noise = cases["loudest"].noise
    assert -1.0 <= noise.min() < -0.99
    assert 0.99 < noise.max() < 1.0
    again = make_cases(tmp_path / "eval", NAMES, frame_rate=250, hop=64, seconds=1.0)
    np.testing.assert_array_equal(again[0].noise, noise)


def test_the_sweep_goes_from_silence_to_full_scale_and_back_over_five_octaves():
    swept = sweep(250)
    assert swept["f0_hz"][-1] / swept["f0_hz"][0] > 32.0
    assert swept["loudness_db"].min() == -90.0
    assert swept["loudness_db"].max() > -1.0
    np.testing.assert_allclose(20.0 * np.log10(swept["rms_energy"]), swept["loudness_db"], atol=1e-3)


def test_no_eval_window_is_an_error_that_names_the_folder(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path}: no eval windows"):
        make_cases(tmp_path, NAMES, frame_rate=250, hop=64, seconds=1.0)


def test_files_hold_what_the_cases_hold(cases, tmp_path):
    write_cases(tmp_path, list(cases.values()), {"controls": ["amplitude"], "full": ["audio"]})
    listed = json.loads((tmp_path / "cases.json").read_text())["cases"]
    assert len(listed) == 6
    for one in listed:
        inputs = cases[one["name"]].inputs(one["graph"])
        assert set(one["inputs"]) == set(inputs)
        assert ("noise" in inputs) == (one["graph"] == "full")
        for name, at in one["inputs"].items():
            stored = np.fromfile(tmp_path / at["file"], "<f4").reshape(at["shape"])
            np.testing.assert_array_equal(stored, inputs[name])
