import numpy as np

from bundles import impulse_response as reverb


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
