"""Pitch beyond a tracker's range is found and left out, and is tracked once the setting that is proposed moves it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.pitch import is_voiced, midi_to_hz
from data.check import check
from data.features.beyond import find_beyond
from data.features.tracker import FMAX, FMIN, Tracker
from tests.data.sounds import config, melody, reader, write

RATE = 44_100
NOTE_SECONDS, GAP_SECONDS = 0.6, 0.06
# lowest and highest note, harmonics, tilt of their levels, the setting that is proposed; as in the wild
INSTRUMENTS = {
    "piccolo": (91, 108, 4, 2.0, -2),
    "whistling": (97, 107, 1, 1.0, -1),
    "double bass": (24, 31, 20, 1.0, 1),
    "contrabassoon": (22, 34, 20, 1.0, 1),
}


def played(notes: Sequence[int], harmonics: int, tilt: float, rate: int = RATE) -> tuple[np.ndarray, np.ndarray]:
    """Notes with gaps between them, and their f0 for every sample, 0 in gaps."""
    samples, gap = round(NOTE_SECONDS * rate), np.zeros(round(GAP_SECONDS * rate))
    time = np.arange(samples) / rate
    edge = np.minimum(1, np.minimum(time / 0.03, time[::-1] / 0.05))
    audio, f0 = [], []
    for note in notes:
        hertz = float(midi_to_hz(note))
        waves = [
            np.sin(2 * np.pi * k * hertz * time) / k**tilt for k in range(1, harmonics + 1) if k * hertz < rate / 2
        ]
        wave = np.sum(waves, axis=0)
        audio += [0.5 * edge * wave / np.abs(wave).max(), gap]
        f0 += [np.full(samples, hertz), gap]
    noise = np.random.default_rng(0).normal(0, 0.001, sum(map(len, audio)))
    return (np.concatenate(audio) + noise).astype(np.float32), np.concatenate(f0)


def song(name: str, seconds: float, rate: int = RATE) -> tuple[np.ndarray, np.ndarray]:
    low, high, harmonics, tilt, _ = INSTRUMENTS[name]
    notes = np.random.default_rng(3).integers(low, high + 1, round(seconds / (NOTE_SECONDS + GAP_SECONDS)))
    return played(notes.tolist(), harmonics, tilt, rate)


def found(audio: np.ndarray, rate: int = RATE, range_hz: tuple[float, float] = (FMIN, FMAX)) -> tuple[float, float]:
    """Shares of frames above and below."""
    beyond = find_beyond(reader(audio), len(audio), rate, range_hz, len(audio) * 250 // rate, 250)
    return float(beyond.above.mean()), float(beyond.below.mean())


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize(
    ("note", "above", "below"), [(22, 0, 1), (28, 0, 1), (36, 0, 0), (60, 0, 0), (94, 0, 0), (99, 1, 0)]
)
def test_notes_beyond_the_range_are_found_and_no_others(rate, note, above, below):
    audio, _ = played([note] * 8, 4 if note > 60 else 20, 1.0, rate)
    assert found(audio, rate) == (pytest.approx(above, abs=0.2), pytest.approx(below, abs=0.2))


@pytest.mark.parametrize("colour", ["white", "high", "low"])
def test_noise_is_not_beyond(colour):
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(10 * RATE))
    hertz = np.fft.rfftfreq(10 * RATE, 1 / RATE)
    spectrum *= {"white": hertz > 20, "high": hertz > 4000, "low": (hertz > 20) & (hertz < 200)}[colour]
    noise = np.fft.irfft(spectrum)
    assert max(found((0.1 * noise / noise.std()).astype(np.float32))) < 0.02


def test_shared_recordings_are_within_the_range(recordings: Path):
    for path in sorted([*recordings.rglob("*.flac"), *recordings.rglob("*.wav")]):
        audio, rate = soundfile.read(path, frames=30 * 44100, dtype="float32", always_2d=True)
        assert max(found(audio.mean(axis=1), rate)) < 0.02, path.stem


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("rate", [16000, 48000])
def test_the_tracker_finds_f0_once_it_is_moved(name, rate):
    audio, f0 = song(name, 12.0, rate)
    tracker = Tracker("swift_f0", rate, 250, octaves=INSTRUMENTS[name][-1])
    measured, confidence = tracker(audio)
    truth = f0[:: rate // 250][: len(measured)]
    notes = is_voiced(confidence) & (truth > 0) & (np.roll(truth, 25) == truth) & (np.roll(truth, -25) == truth)
    assert notes.sum() > 0.8 * ((np.roll(truth, 25) == truth) & (np.roll(truth, -25) == truth) & (truth > 0)).sum()
    cents = np.abs(1200 * np.log2(measured[notes] / truth[notes]))
    assert np.median(cents) < 20
    assert (cents > 600).mean() < 0.02


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_check_proposes_the_setting_with_which_the_recording_is_used(tmp_path, name):
    write(tmp_path / "solo.wav", song(name, 20.0)[0], RATE)
    (entry,) = check(tmp_path, config()).recordings
    where = "above" if INSTRUMENTS[name][-1] < 0 else "below"
    assert entry.explanation.startswith(f"set aside: is mostly {where} the range of swift_f0 (47 to 2094 Hz)")
    setting = entry.explanation.rpartition("--set ")[2]
    assert abs(int(setting.removeprefix("examples.pitch.octaves=")) - INSTRUMENTS[name][-1]) <= 1
    (entry,) = check(tmp_path, config(setting)).recordings
    assert entry.explanation == "used"
    assert entry.beyond_fraction is not None
    assert entry.beyond_fraction < 0.02


def test_a_stretch_beyond_the_range_is_left_out_and_the_rest_is_used(tmp_path):
    inside = melody(12.0, RATE)
    high, _ = played([100] * 9, 1, 1.0)
    write(tmp_path / "solo.wav", np.concatenate([inside, high, inside[::-1]]), RATE)
    (entry,) = check(tmp_path, config()).recordings
    assert entry.verdict == "used"
    assert "left out, beyond the pitch tracker's range" in entry.explanation
    assert entry.usable_seconds == pytest.approx(24 + 1, abs=1)


def test_frames_are_in_time_at_every_speed():
    audio = melody(6.0, 16000)
    f0, confidence = Tracker("swift_f0", 16000, 250)(audio)
    for octaves in (-1, 1):
        moved, moved_confidence = Tracker("swift_f0", 16000, 250, octaves=octaves)(audio)
        both = is_voiced(confidence) & is_voiced(moved_confidence)
        assert both.mean() > 0.8
        assert np.median(np.abs(1200 * np.log2(moved / f0))[both]) < 10
