"""A tracker's harmonic taken for the fundamental is put right, and nothing else is touched."""

import numpy as np
import pytest
import soundfile
import soxr

from data.features.octaves import correct_octave_errors
from data.features.tracker import Tracker
from tests.data.sounds import melody, reader, tone

STEP = 0.016


def mend(audio: np.ndarray, f0_hz: np.ndarray, voiced: np.ndarray | None = None) -> np.ndarray:
    voiced = np.ones(len(f0_hz), bool) if voiced is None else voiced
    return correct_octave_errors(f0_hz, voiced, STEP, reader(audio), len(audio), 16000)


def grid(seconds: float, f0_hz: float) -> np.ndarray:
    return np.full(round(seconds / STEP), f0_hz)


@pytest.mark.parametrize("times", [2, 3, 4])
@pytest.mark.parametrize("f0", [110.0, 349.0, 700.0])
def test_a_note_taken_for_its_harmonic_gets_its_f0_back(f0, times):
    found = grid(2.0, f0)
    found[40:90] *= times
    np.testing.assert_allclose(mend(tone(f0, 2.0), found), f0)


@pytest.mark.parametrize("f0", [110.0, 349.0, 700.0, 1500.0])
def test_a_right_f0_stays(f0):
    np.testing.assert_array_equal(mend(tone(f0, 2.0), grid(2.0, f0)), f0)


@pytest.mark.parametrize("interval", [3, 4, 5, 7])
def test_two_notes_of_a_chord_are_not_taken_for_harmonics_of_a_lower_one(interval):
    chord = tone(440.0, 2.0) + tone(440.0 * 2 ** (interval / 12), 2.0)
    np.testing.assert_array_equal(mend(chord, grid(2.0, 440.0)), 440.0)


def test_unvoiced_frames_stay():
    found = grid(2.0, 1396.0)
    np.testing.assert_array_equal(mend(tone(349.0, 2.0), found, np.zeros(len(found), bool)), found)


def test_a_melody_that_is_tracked_well_stays():
    audio = melody(10.0, seed=4)
    found, confidence = Tracker("swift_f0", 16000, 250)(audio)
    every_fourth = found[::4].astype(np.float64)
    np.testing.assert_array_equal(mend(audio, every_fourth, confidence[::4] > 0.5), every_fourth)


def test_a_real_saxophone_keeps_to_its_range(recordings):
    audio, rate = soundfile.read(recordings / "saxophone" / "weresax_alto_notes_piano.flac", dtype="float32")
    f0_hz, confidence = Tracker("swift_f0", 16000, 250)(soxr.resample(audio[30 * rate : 60 * rate], rate, 16000))
    assert (f0_hz[confidence > 0.5] > 900).mean() < 0.01  # more than a fifth without mending
