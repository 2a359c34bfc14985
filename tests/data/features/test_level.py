"""How loud a recording is changes neither what is voiced nor its f0; clicks change nothing, and noise has no pitch."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from common.pitch import is_voiced
from data.features.level import loud_rms
from data.features.tracker import Tracker
from tests.data.sounds import melody, reader, tone

TRACKER = Tracker("swift_f0", 16000, 250)
LEVELS_DB = (0.0, -20.0, -40.0, -60.0)


def at(audio: np.ndarray, level_db: float) -> np.ndarray:
    return (audio * 10 ** (level_db / 20)).astype(np.float32)


def coloured(slope: float, seconds: float = 8.0, seed: int = 0) -> np.ndarray:
    """Noise with a power that falls as frequency ** slope, and an RMS of 0.1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(round(seconds * 16000)))
    spectrum[1:] *= np.arange(1, len(spectrum)) ** (-slope / 2)
    spectrum[: round(20 * seconds)] = 0
    noise = np.fft.irfft(spectrum)
    return (0.1 * noise / noise.std()).astype(np.float32)


def test_a_level_is_that_of_the_loud_parts():
    note, rest = tone(300.0, 2.0, harmonics=1), np.zeros(20 * 16000, np.float32)
    audio = np.concatenate([rest, note, 0.1 * note, rest])
    assert loud_rms(reader(audio), len(audio), 16000) == pytest.approx(0.2 / np.sqrt(2), rel=0.02)
    assert loud_rms(reader(rest), len(rest), 16000) == 0.0


@pytest.mark.parametrize("level_db", LEVELS_DB[1:])
def test_voiced_frames_and_f0_do_not_depend_on_level(level_db):
    audio = melody(10.0, seed=2) + coloured(1.0, 10.0) * 0.01
    f0, confidence = TRACKER(audio)
    f0_there, confidence_there = TRACKER(at(audio, level_db))
    np.testing.assert_allclose(confidence_there, confidence, atol=1e-3)
    np.testing.assert_allclose(f0_there, f0, rtol=1e-4)


@pytest.mark.parametrize("level_db", LEVELS_DB)
def test_one_full_scale_click_moves_the_f0_of_the_frames_around_it_a_little_and_no_other(level_db):
    audio = at(melody(8.0, seed=6), level_db)
    clicked = audio.copy()
    clicked[4 * 16000 + 3000] = 1.0
    (f0, confidence), (f0_clicked, confidence_clicked) = TRACKER(audio), TRACKER(clicked)
    assert (is_voiced(confidence) == is_voiced(confidence_clicked)).mean() > 0.99
    voiced = is_voiced(confidence) & is_voiced(confidence_clicked)
    cents = np.where(voiced, np.abs(1200 * np.log2(f0_clicked / f0)), 0)
    frames = slice(4 * 250 + 47 - 45, 4 * 250 + 47 + 45)  # 0.18 s: as far as the tracker looks
    assert cents[frames].max() < 25
    cents[frames] = 0
    assert cents.max() < 1


@pytest.mark.parametrize("level_db", LEVELS_DB)
@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0, 3.0])
def test_noise_is_unvoiced_at_every_level(slope, level_db):
    _, confidence = TRACKER(at(coloured(slope), level_db))
    assert is_voiced(confidence).mean() <= 0.01


def test_the_floor_between_loud_notes_stays_unvoiced():
    gap = np.concatenate([melody(4.0), np.zeros(4 * 16000), melody(4.0)]) + at(coloured(2.0, 12.0), -40)
    _, confidence = TRACKER(gap.astype(np.float32))
    assert not is_voiced(confidence[4 * 250 + 25 : 8 * 250 - 25]).any()


@pytest.mark.slow
def test_shared_recordings_are_voiced_alike_at_every_level(recordings: Path):
    for path in sorted([*recordings.rglob("*.flac"), *recordings.rglob("*.wav")]):
        audio, rate = soundfile.read(path, frames=44100 * 30, dtype="float32")
        audio = soxr.resample(audio if audio.ndim == 1 else audio.mean(1), rate, 16000)
        shares = [is_voiced(TRACKER(at(audio, level_db))[1]).mean() for level_db in LEVELS_DB]
        assert max(shares) - min(shares) < 0.02, (path.stem, shares)
