import json

import numpy as np
import pytest

from bundles import impulse_response as reverb
from common.acoustics.reverberation import late_tail


def test_what_is_cut_carries_less_than_80_db_below_the_whole_and_the_tap_before_it_does_not():
    rng = np.random.default_rng(0)
    ir = (rng.normal(size=16000) * np.exp(-np.arange(16000) / 500.0) * 0.05).astype(np.float32)
    ir[0] = 0.0
    kept = reverb.trim(ir)
    np.testing.assert_array_equal(kept, ir[: len(kept)])
    whole = 1.0 + np.sum(np.square(ir, dtype=np.float64))
    lost = np.sum(np.square(ir[len(kept) :], dtype=np.float64))
    assert 10 * np.log10(lost / whole) <= -80.0
    assert 10 * np.log10((lost + float(kept[-1]) ** 2) / whole) > -80.0
    assert len(kept) < 8000


def test_the_error_of_the_cut_and_of_float16_is_inaudible_in_the_output():
    rng = np.random.default_rng(1)
    ir = (rng.normal(size=4000) * np.exp(-np.arange(4000) / 300.0) * 0.05).astype(np.float32)
    ir[0] = 0.0
    audio = rng.normal(size=16000)
    shipped = reverb.decode(reverb.encode(reverb.trim(ir)))
    whole, played = (audio + np.convolve(audio, taps)[: len(audio)] for taps in (ir, shipped))
    assert 10 * np.log10(np.sum(np.square(whole - played)) / np.sum(np.square(whole))) < -70.0


def test_silence_keeps_nothing_and_a_lively_room_keeps_all():
    assert reverb.trim(np.zeros(100, np.float32)).size == 0
    assert reverb.trim(np.zeros(0, np.float32)).size == 0
    lively = np.full(100, 0.5, np.float32)
    np.testing.assert_array_equal(reverb.trim(lively), lively)


def test_nan_is_not_hidden():
    ir = np.array([0.0, np.nan, 0.1], np.float32)
    assert np.isnan(reverb.decode(reverb.encode(reverb.trim(ir)))).any()


def church(level: float = 0.02) -> dict[str, np.ndarray]:
    """What a trained room with a late tail ships as: 0.1 s free, 0.4 s of three bands."""
    early = np.random.default_rng(2).normal(size=1600).astype(np.float32) * 0.05
    late = {
        "levels": np.array([level, -0.5 * level, 0.3 * level], "f"),
        "decay_seconds": np.array([0.9, 0.7, 0.4], "f"),
    }
    tail = late_tail(late["levels"], late["decay_seconds"], 6400, 16000)
    return {"ir": np.concatenate([early, tail]).astype("f"), "early_taps": np.array(1600), **late}


def test_of_a_late_tail_its_parameters_alone_ship():
    response = church()
    stored, section = reverb.describe(response, 16000)
    assert (len(stored), section["early_taps"], section["trained_taps"]) == (3200, 1600, 8000)
    assert len(json.dumps(section)) < 300
    whole = reverb.assemble(stored, json.loads(json.dumps({"file": "reverb.bin", **section})))
    assert len(whole) == section["taps"]
    late, right = whole[1600:], response["ir"][1600 : len(whole)]
    assert 10 * np.log10(np.sum(right**2) / np.sum((late - right) ** 2)) > 100


def test_the_inaudible_end_of_a_late_tail_is_cut_and_one_that_is_inaudible_does_not_ship():
    short = church()
    short["decay_seconds"] = np.array([0.1, 0.1, 0.1], "f")
    short["ir"][1600:] = late_tail(short["levels"], short["decay_seconds"], 6400, 16000)
    stored, section = reverb.describe(short, 16000)
    assert 1600 < section["taps"] < 5000
    np.testing.assert_allclose(
        reverb.assemble(stored, {"file": "", **section})[1600:], short["ir"][1600 : section["taps"]], atol=1e-6
    )
    stored, section = reverb.describe(church(level=1e-9), 16000)
    assert "late" not in section
    assert len(stored) == 2 * section["taps"] <= 3200
    silent = church(level=1e-9)
    silent["ir"] *= 1e-9
    assert reverb.describe(silent, 16000) is None
    broken = church()
    broken["ir"][5000] = np.nan
    stored, section = reverb.describe(broken, 16000)
    assert "late" not in section
    assert np.isnan(reverb.assemble(stored, {"file": "", **section})).any()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"early_taps": 1599}, "reverb.bin holds 1600 taps, not 1599"),
        ({"early_taps": None}, "holds 1600 taps, not None"),
        ({"taps": 1600}, "1600 taps are not from 1601"),
        ({"trained_taps": 1700}, "to 1700"),
        ({"late": {"levels": [1.0, 1.0], "decay_seconds": [1.0]}}, "of each of 1 to 64 bands"),
        ({"late": {"levels": [], "decay_seconds": []}}, "of each of 1 to 64 bands"),
        ({"late": {"levels": [1.0], "decay_seconds": [0.0]}}, "above 0 s"),
        ({"late": {"levels": [1.0] * 65, "decay_seconds": [1.0] * 65}}, "1 to 64 bands"),
    ],
)
def test_a_section_that_is_none_is_refused(change: dict, named: str):
    stored, section = reverb.describe(church(), 16000)
    with pytest.raises(ValueError, match=named):
        reverb.assemble(stored, {"file": "reverb.bin", **section, **change})
