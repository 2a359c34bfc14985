import math

import numpy as np
import pytest

from components.browser_validator.judge import (
    IDENTICAL_DB,
    figures,
    judge_reference,
    judge_run,
    judge_weights,
    snr_db,
)
from components.browser_validator.tfjs import BackendRun, GraphRun, TfjsRun
from tests.components.browser_validator.exported import settings

RANDOM = np.random.default_rng(0)
CONTROLS = {"loudest": {"amplitude": RANDOM.uniform(0.1, 1.0, (1, 50, 1)).astype(np.float32)}}
FULL = {"loudest": {"audio": RANDOM.uniform(-0.5, 0.5, (1, 3200)).astype(np.float32)}}
REFERENCE = {"controls": CONTROLS, "full": FULL}
MILLISECONDS = {"load": 1.0, "cold": 2.0, "warm": 1.5}


def run_of(controls, full) -> TfjsRun:
    graphs = {"controls": GraphRun("", controls, MILLISECONDS, 10), "full": GraphRun("", full, MILLISECONDS, 20)}
    return TfjsRun("4.22.0", "156", {"webgl": BackendRun("", graphs, "SwiftShader")})


def test_snr_is_the_energy_of_the_signal_over_that_of_the_difference():
    signal = RANDOM.normal(size=10000)
    assert snr_db(signal, signal * 1.001) == pytest.approx(60.0)
    assert snr_db(signal, signal) == IDENTICAL_DB
    assert snr_db(np.zeros(3), np.ones(3)) == -math.inf
    assert math.isnan(snr_db(signal, signal * np.nan))


def test_what_equals_the_reference_has_nothing_against_it():
    assert list(judge_run(run_of(CONTROLS, FULL), REFERENCE, settings())) == []
    assert list(judge_reference(REFERENCE)) == []


@pytest.mark.parametrize(("error_db", "refused"), [(59.0, True), (61.0, False)])
def test_controls_need_60_db(error_db, refused):
    off = {"loudest": {"amplitude": CONTROLS["loudest"]["amplitude"] * (1.0 + 10.0 ** (-error_db / 20.0))}}
    assert bool(list(judge_run(run_of(off, FULL), REFERENCE, settings()))) is refused


@pytest.mark.parametrize(("error_db", "refused"), [(39.0, True), (41.0, False)])
def test_full_needs_40_db(error_db, refused):
    off = {"loudest": {"audio": FULL["loudest"]["audio"] * (1.0 + 10.0 ** (-error_db / 20.0))}}
    assert bool(list(judge_run(run_of(CONTROLS, off), REFERENCE, settings()))) is refused


def test_one_bad_sample_or_another_length_is_named():
    nan = FULL["loudest"]["audio"].copy()
    nan[0, 17] = np.inf
    assert list(judge_run(run_of(CONTROLS, {"loudest": {"audio": nan}}), REFERENCE, settings())) == [
        "full on webgl: audio holds infinite values (loudest)"
    ]
    short = {"loudest": {"audio": FULL["loudest"]["audio"][:, 64:]}}
    assert list(judge_run(run_of(CONTROLS, short), REFERENCE, settings())) == [
        "full on webgl: audio has the shape [1, 3136] instead of [1, 3200] (loudest)"
    ]


def test_a_backend_that_failed_is_a_reason_and_has_no_figures():
    run = TfjsRun("4.22.0", "156", {"webgl": BackendRun("not finished after 3 s")})
    [reason] = judge_run(run, REFERENCE, settings())
    assert reason.startswith("webgl: not finished after 3 s: ")
    assert "browser_validator.timeout_seconds" in reason
    assert figures(run, REFERENCE)["snr_db"] == {"webgl": {}}


def test_silence_is_judged_on_recordings_not_on_the_sweep():
    silent = {"loudest": {"audio": np.zeros([1, 3200], np.float32)}, "sweep": FULL["loudest"]}
    assert [reason.split(":")[0] for reason in judge_reference({"full": silent})] == ["the model is silent"]
    assert list(judge_reference({"full": {**FULL, "sweep": silent["loudest"]}})) == []


def test_figures_give_the_worst_case_and_no_number_where_there_is_none():
    full = {"loudest": FULL["loudest"], "middling": {"audio": FULL["loudest"]["audio"] * 2.0}}
    reference = {"controls": CONTROLS, "full": {"loudest": FULL["loudest"], "middling": FULL["loudest"]}}
    measured = figures(run_of(CONTROLS, full), reference)
    assert measured["snr_db"] == {"webgl": {"amplitude": IDENTICAL_DB, "audio": 0.0}}
    assert measured["gpu_bytes"] == 20
    assert measured["webgl_checked"]
    full["middling"]["audio"][0, 0] = np.nan
    assert figures(run_of(CONTROLS, full), reference)["snr_db"]["webgl"]["audio"] is None


def test_weights_must_be_the_savedmodels_bit_for_bit_whatever_their_shape():
    variables = [np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(4, np.float32)]
    assert list(judge_weights({"kernel": np.arange(6, dtype=np.float32).reshape(3, 2)}, variables)) == []
    other = np.arange(6, dtype=np.float32) + np.float32(0.25)
    assert list(judge_weights({"kernel": other}, variables)) == [
        "weight kernel: differs from the SavedModel's by up to 0.25"
    ]
    assert list(judge_weights({"bias": np.ones(5, np.float32)}, variables)) == [
        "weight bias: the SavedModel has no variable of 5 values"
    ]
