"""The A-weighting is ddsp's, and amplitudes in dB end at the floor."""

import numpy as np

from common.loudness import FLOOR_AMPLITUDE, FLOOR_DB, a_weighting_db, amplitude_to_db


def test_golden_a_weighting(golden):
    fixture = golden("loudness")
    np.testing.assert_allclose(a_weighting_db(fixture["a_weighting_hz"]), fixture["a_weighting_db"], atol=1e-6)


def test_decibels_end_at_the_floor_and_keep_their_precision():
    assert FLOOR_AMPLITUDE == 1e-4
    amplitude = np.array([0.0, 1e-5, 1e-4, 0.1, 1.0], np.float32)
    found = amplitude_to_db(amplitude)
    np.testing.assert_allclose(found, [FLOOR_DB, FLOOR_DB, FLOOR_DB, -20.0, 0.0], atol=1e-5)
    assert found.dtype == np.float32
