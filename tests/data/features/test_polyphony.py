"""Two pitched instruments at once are distinguished from a single one, also from one in a reverberant room."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from data.features.polyphony import Polyphony, measure_polyphony
from data.features.screening import DENSEST, screen_polyphony
from data.features.tracker import Tracker
from data.files.decode import Unusable
from tests.data.sounds import CONFIG, melody, reader, tone

LIMIT = CONFIG.examples.screening.max_polyphony
PAIR_SAMPLES = 40 * 16000  # more shows no more and takes a minute
TRACKER = Tracker("swift_f0", 16000, 250)


def measure(audio: np.ndarray, rate: int = 16000, tracker: Tracker = TRACKER) -> Polyphony:
    f0_hz, confidence = tracker(audio)
    return measure_polyphony(reader(audio), len(audio), rate, f0_hz, confidence, 250)


def mixed(*lines: np.ndarray, below_db: float = 0.0) -> np.ndarray:
    """Lines at equal RMS, or each so much below the one before, as long as the shortest."""
    samples = min(len(line) for line in lines)
    scaled = [line[:samples] / np.sqrt(np.mean(line[:samples] ** 2)) for line in lines]
    total = sum(line * 10 ** (-number * below_db / 20) for number, line in enumerate(scaled))
    return (0.9 * total / np.abs(total).max()).astype(np.float32)


def in_a_room(line: np.ndarray, rt60_seconds: float, wet_db: float, rate: int = 16000) -> np.ndarray:
    taps = np.arange(round(rt60_seconds * rate))
    tail = np.random.default_rng(0).standard_normal(len(taps)) * 10 ** (-3 * taps / rate / rt60_seconds)
    tail[: rate // 100] = 0
    tail *= 10 ** (wet_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    spectrum = np.fft.rfft(line, 2 ** int(np.ceil(np.log2(len(line) + len(tail)))))
    return np.fft.irfft(spectrum * np.fft.rfft(tail, 2 * (len(spectrum) - 1)))[: len(line)].astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_one_line_is_solo_and_two_are_not(seed):
    high, low = melody(15.0, seed=seed), melody(15.0, seed=seed + 10, notes=(-12, -9, -7, -4, -2))
    assert measure(high).share < LIMIT / 3
    assert measure(low).share < LIMIT / 3
    assert measure(mixed(high, low)).share > 3 * LIMIT


@pytest.mark.parametrize("rt60_seconds", [0.5, 1.5])
def test_the_tails_of_notes_in_a_room_are_no_second_instrument(rt60_seconds):
    assert measure(in_a_room(melody(15.0, seed=3), rt60_seconds, wet_db=-6)).share < LIMIT


def with_sympathetic_strings(line: np.ndarray, level_db: float, rt60_seconds: float = 3.0) -> np.ndarray:
    """A line that makes strings ring, tuned to the notes of its scale."""
    time = np.arange(round(rt60_seconds * 16000)) / 16000
    ring = np.zeros(len(time))
    for semitones in (0, 2, 4, 5, 7, 9, 11, 12):
        f0 = 440 * 2 ** (semitones / 12)
        ring += sum(np.sin(2 * np.pi * k * f0 * time) / k**2 for k in (1, 2, 3)) * 10 ** (-3 * time / rt60_seconds)
    size = 2 ** int(np.ceil(np.log2(len(line) + len(ring))))
    rung = np.fft.irfft(np.fft.rfft(line, size) * np.fft.rfft(ring, size))[: len(line)]
    return (line + rung * 10 ** (level_db / 20) * line.std() / rung.std()).astype(np.float32)


@pytest.mark.parametrize("level_db", [-20, -12, -6])
def test_sympathetic_strings_are_no_second_instrument(level_db):
    assert measure(with_sympathetic_strings(melody(15.0, seed=3), level_db)).share < LIMIT


def test_a_growl_at_half_the_pitch_is_no_second_instrument():
    draw = np.random.default_rng(1)
    notes = []
    for _ in range(30):
        f0 = 150 * 2 ** (draw.integers(0, 12) / 12)
        note = tone(f0, 0.5, harmonics=20) + 0.35 * tone(f0 / 2, 0.5, harmonics=30)
        notes.append(note * np.minimum(1, np.minimum(np.arange(8000), np.arange(8000)[::-1]) / 300))
    assert measure(np.concatenate(notes).astype(np.float32)).share < LIMIT


@pytest.mark.parametrize("seed", range(3))
def test_a_low_moving_voice_under_dense_partials_is_a_second_pitch(seed):
    voice = melody(15.0, seed=seed, notes=(-24, -22, -20, -19, -17, -15))
    bright = melody(15.0, seed=seed + 20, notes=(0, 2, 4, 5, 7))
    bright = np.diff(bright, prepend=0.0) * 4  # 6 dB more in each octave
    for below_db in (0, 3):
        assert measure(mixed(voice, bright, below_db=below_db)).share > LIMIT
        assert measure(mixed(bright, voice, below_db=below_db)).share > LIMIT


@pytest.mark.parametrize("interval", [3, 4, 6, 9])
def test_a_held_interval_is_two_pitches(interval):
    chord = mixed(tone(330.0, 6.0), tone(330.0 * 2 ** (interval / 12), 6.0))
    assert measure(chord).share > LIMIT


def test_the_position_is_in_the_part_where_two_play():
    line = melody(30.0, seed=1)
    second = melody(30.0, seed=12, notes=(-12, -9, -7, -4, -2))
    second[: 18 * 16000] = 0
    assert measure(line + second).at_seconds > 16.0


def test_silence_and_noise_are_no_second_pitch():
    line = melody(10.0, seed=5)
    noise = np.random.default_rng(1).normal(0, 0.01, len(line)).astype(np.float32)
    assert measure(line + noise).share < LIMIT
    assert measure(np.zeros(32000, np.float32)).share == 0.0


@pytest.mark.parametrize("rate", [32000, 48000])
def test_the_sample_rate_does_not_matter(rate):
    tracker = Tracker("swift_f0", rate, 250)
    high, low = melody(10.0, rate, 2), melody(10.0, rate, 13, notes=(-12, -9, -7, -4))
    assert measure(high, rate, tracker).share < LIMIT
    assert measure(mixed(high, low), rate, tracker).share > LIMIT


def test_a_short_duet_in_a_long_solo_is_flagged_and_one_chord_is_not():
    screening = CONFIG.examples.screening
    line, second = melody(180.0, seed=1), melody(180.0, seed=12, notes=(-12, -9, -7, -4, -2))
    chord = np.where(np.arange(len(line)) // 16000 == 60, second, 0)
    duet = np.where((np.arange(len(line)) >= 100 * 16000) & (np.arange(len(line)) < 110 * 16000), second, 0)
    screen_polyphony(measure(line + chord), screening)
    with pytest.raises(Unusable, match="not solo") as caught:
        screen_polyphony(measure(line + duet), screening)
    assert caught.value.at_seconds == pytest.approx(100, abs=5)


def solos(recordings: Path) -> dict[str, np.ndarray]:
    found = {}
    for path in sorted([*recordings.rglob("*.flac"), *recordings.rglob("*.wav")]):
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        found[path.stem] = soxr.resample(audio.mean(axis=1), rate, 16000)
    return found


@pytest.mark.slow
def test_no_shared_recording_alone_is_flagged_and_any_two_mixed_are(recordings):
    lines = solos(recordings)
    alone = {name: measure(line) for name, line in lines.items()}
    assert max(one.share for one in alone.values()) < LIMIT / 2, alone
    assert max(one.densest for one in alone.values()) < DENSEST * LIMIT / 1.8, alone

    def share(one: str, other: str, below_db: float) -> float:
        return measure(mixed(lines[one][:PAIR_SAMPLES], lines[other], below_db=below_db)).share

    equal = {pair: share(*pair, 0) for pair in itertools.combinations(lines, 2)}
    assert min(equal.values()) > 2 * LIMIT, equal
    apart = {pair: share(*pair, 3) for pair in itertools.permutations(lines, 2)}
    assert min(apart.values()) > 1.3 * LIMIT, apart
    far = {pair: share(*pair, 6) for pair in itertools.permutations(lines, 2)}
    assert sum(found <= LIMIT for found in far.values()) <= 3, far  # of 132: the second line is hidden by the first
