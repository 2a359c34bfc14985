"""The embedded recordings: files as promised, the same for the same seed, and fit for a pitch tracker."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.demo import flute, generate
from data.demo.composer import compose
from data.demo.performance import perform


def fingerprint(paths: list[Path]) -> list[str]:
    return [hashlib.sha256(soundfile.read(path, dtype="int16")[0].tobytes()).hexdigest() for path in paths]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    return generate.generate(tmp_path_factory.mktemp("made") / "new" / "folder", minutes=0.4, seed=7)


def test_files_are_16_bit_mono_flac_of_the_requested_length(written):
    infos = [soundfile.info(path) for path in written]
    assert len(infos) >= 3
    assert {(info.format, info.subtype, info.channels, info.samplerate) for info in infos} == {
        ("FLAC", "PCM_16", 1, 48_000)
    }
    assert sum(info.duration for info in infos) == pytest.approx(24.0, abs=0.01)
    assert [path.suffix for path in written] == [".flac"] * len(written)
    assert sorted(path.name for path in written) == [path.name for path in written]


def test_levels_are_sensible(written):
    for path in written:
        audio, rate = soundfile.read(path)
        assert 20.0 * np.log10(np.abs(audio).max()) == pytest.approx(-3.0, abs=0.1)
        assert abs(audio.mean()) < 1e-3
        room = audio[: rate // 5]  # before the first note
        assert -80.0 < 20.0 * np.log10(room.std()) < -70.0


def test_a_seed_always_gives_the_same_samples_and_another_seed_others(written, tmp_path):
    again = generate.generate(tmp_path / "again", minutes=0.4, seed=7)
    other = generate.generate(tmp_path / "other", minutes=0.4, seed=8)
    assert [path.name for path in again] == [path.name for path in written]
    assert fingerprint(again) == fingerprint(written)
    assert not set(fingerprint(other)) & set(fingerprint(written))
    assert len(set(fingerprint(written))) == len(written)


def test_other_sample_rates_sound_the_same(written, tmp_path):
    path = generate.generate(tmp_path, minutes=0.4, seed=7, sample_rate=16_000)[0]
    low, rate = soundfile.read(path)
    high, _ = soundfile.read(written[0])
    assert rate == 16_000
    assert len(low) == pytest.approx(len(high) / 3, abs=2)

    def level(audio: np.ndarray, hop: int) -> np.ndarray:
        frames = audio[: len(audio) // hop * hop].reshape(-1, hop)
        return 10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-9)

    difference = level(low, 1600)[:40] - level(high, 4800)[:40]
    assert np.median(np.abs(difference)) < 1.0


def test_takes_are_longer_and_shorter_than_a_minute_and_at_least_three():
    assert generate.take_lengths(240.0) == pytest.approx([75.0, 45.0, 75.0, 45.0])
    assert len(generate.take_lengths(6.0)) == 3
    assert sum(generate.take_lengths(333.0)) == pytest.approx(333.0)


def test_a_pitch_tracker_finds_what_was_played():
    """swift_f0 on half a minute: sure of itself, on pitch to 15 cents, no octave errors to speak of, loud and soft."""
    swift_f0 = pytest.importorskip("swift_f0")
    rng = np.random.default_rng(11)
    samples = 30 * flute.SAMPLE_RATE
    played = perform(compose(rng, 30.0, "yaman"), samples, flute.SAMPLE_RATE, rng)
    sound = flute.play(played.f0_hz, played.breath, rng)
    sound *= generate.PEAK / np.abs(sound).max()
    tracked = swift_f0.SwiftF0().detect(sound.astype(np.float32), flute.SAMPLE_RATE)
    at = np.minimum((tracked.timestamps * flute.SAMPLE_RATE).astype(int), samples - 1)
    sounding = played.breath[at] > 0.04
    assert 0.6 < sounding.mean() < 0.97
    confidence = tracked.confidence[sounding]
    assert np.median(confidence) > 0.95
    assert np.mean(confidence > 0.9) > 0.9
    assert np.mean(confidence > 0.5) > 0.97
    cents = 1200.0 * np.log2(tracked.pitch_hz[sounding] / played.f0_hz[at][sounding])[confidence > 0.5]
    assert abs(np.median(cents)) < 3.0
    assert np.median(np.abs(cents)) < 5.0
    assert np.mean(np.abs(cents) > 300.0) < 0.01
    loudness = np.percentile(tracked.loudness_db[sounding], [3.0, 97.0])
    assert loudness[1] - loudness[0] > 15.0


@pytest.mark.parametrize("minutes", [0.0, -1.0, 601.0, float("nan")])
def test_impossible_lengths_are_refused(minutes, tmp_path):
    with pytest.raises(ValueError, match="minutes must lie between"):
        generate.generate(tmp_path, minutes, seed=0)


def test_the_command_line_writes_and_lists_files(tmp_path, capsys):
    generate.main(["--folder", str(tmp_path), "--minutes", "0.1", "--seed", "3"])
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(list(tmp_path.glob("*.flac"))) == 3


@pytest.mark.parametrize("wrong", [["--minutes", "0"], ["--seed", "-1"], ["--minutes", "x"]])
def test_the_command_line_refuses_bad_values_with_exit_code_2(wrong, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        generate.main(["--folder", str(tmp_path), *wrong])
    assert stopped.value.code == 2
    assert wrong[0] in capsys.readouterr().err
