"""Mains hum is found by its constancy, named, and neither gives pauses a pitch nor counts as a second one."""

import numpy as np
import pytest

from common.pitch import hz_to_midi, is_voiced
from data.check import check
from data.features.hum import find_hum
from data.features.level import loud_rms
from data.features.loudness import loudness_and_rms
from data.features.pitch import measure_pitch
from data.features.tracker import Tracker
from tests.data.sounds import config, melody, reader, tone, write

AUDIO = config("audio.sample_rate=16000").audio


def hum(seconds: float, hertz: float, level: float, rate: int = 16000) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (level * sum(np.sin(2 * np.pi * k * hertz * time + k) / k for k in (1, 2, 3, 5))).astype(np.float32)


def phrases(seconds: float, rate: int = 16000) -> np.ndarray:
    """A line with rests of a second and a half."""
    line = melody(seconds, rate, seed=7)
    return line * (np.arange(len(line)) // (rate // 2) % 6 < 3)


def found(audio: np.ndarray, rate: int = 16000) -> int | None:
    result = find_hum(reader(audio), len(audio), rate, loud_rms(reader(audio), len(audio), rate))
    return result.hertz if result else None


@pytest.mark.parametrize("rate", [16000, 48000])
@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("level", [0.001, 0.01, 0.05])
def test_hum_is_found(mains, level, rate):
    assert found(phrases(12.0, rate) + hum(12.0, mains, level, rate), rate) == mains


@pytest.mark.parametrize("notes", [(-12, 0, 12), (-24, -29, -33), (0,)])
def test_an_instrument_is_no_hum(notes):
    assert found(melody(12.0, notes=notes)) is None
    assert found(phrases(12.0)) is None


@pytest.mark.parametrize("f0", [49.0, 98.0, 100.0, 110.0, 120.0])
def test_a_long_note_is_no_hum(f0):
    assert found(tone(f0, 12.0)) is None


def test_noise_and_silence_are_no_hum():
    assert found(np.random.default_rng(0).normal(0, 0.1, 160000).astype(np.float32)) is None
    assert found(np.zeros(160000, np.float32)) is None


@pytest.mark.parametrize("level", [0.02, 0.05])
def test_a_humming_recording_is_used_with_a_remark_and_its_rests_have_no_pitch(tmp_path, level):
    write(tmp_path / "clean.wav", phrases(14.0))
    write(tmp_path / "hums.wav", phrases(14.0) + hum(14.0, 50, level))
    clean, hums = check(tmp_path, config()).recordings
    assert clean.explanation == "used"
    assert hums.explanation == "used; mains hum (50 Hz)"
    assert hums.high_f0_hz == pytest.approx(clean.high_f0_hz, rel=0.03)


@pytest.mark.parametrize("level", [0.02, 0.05])
def test_hum_does_not_move_the_mean_pitch_by_which_an_octave_is_chosen(level):
    tracker, clean = Tracker("swift_f0", 16000, 250), phrases(14.0)
    means = []
    for audio in (clean, clean + hum(14.0, 50, level)):
        _, rms = loudness_and_rms(reader(audio), len(audio), AUDIO)
        pitch = measure_pitch(reader(audio), len(audio), AUDIO, tracker, rms)
        means.append(hz_to_midi(pitch.f0_hz[is_voiced(pitch.f0_confidence)]).mean())
    assert means[1] == pytest.approx(means[0], abs=1.5)  # semitones; 17 lower where the hum counts
