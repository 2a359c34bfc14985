"""A sound is written whole or not at all, never clips, and its path is checked before the work begins."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.errors import UserError
from player.sound_file import check_path, write_sound

TONE = np.sin(np.arange(1000) / 7.0).astype(np.float32)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "लय.WAV"])
def test_blocks_come_back_as_one_sound_in_24_bits(tmp_path: Path, name: str):
    assert write_sound(tmp_path / name, np.split(0.5 * TONE, [10, 500]), 16000) == 1.0
    with soundfile.SoundFile(tmp_path / name) as file:
        assert (file.subtype, file.samplerate, file.channels) == ("PCM_24", 16000, 1)
        np.testing.assert_allclose(file.read(), 0.5 * TONE, atol=2.0**-23)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_too_loud_is_turned_down_as_a_whole(tmp_path: Path):
    gain = write_sound(tmp_path / "loud.wav", [0.1 * TONE, 4.0 * TONE], 16000)
    sound, _ = soundfile.read(tmp_path / "loud.wav")
    assert gain == pytest.approx(0.25, rel=1e-3)
    np.testing.assert_allclose(sound, gain * np.concatenate([0.1 * TONE, 4.0 * TONE]), atol=1e-6)
    assert np.abs(sound).max() < 1.0


def test_an_interrupted_sound_leaves_the_old_file_and_nothing_half(tmp_path: Path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"what was there")

    def blocks() -> Iterator[np.ndarray]:
        yield TONE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sound(path, blocks(), 16000)
    assert path.read_bytes() == b"what was there"
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("name", ["a.mp3", "a", "a.wav.txt", "absent/a.wav", "folder.wav"])
def test_a_path_that_cannot_be_written_is_refused_by_name(tmp_path: Path, name: str):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(UserError, match=name):
        check_path(tmp_path / name)


def test_a_link_stays_a_link_and_its_target_gets_the_sound(tmp_path: Path):
    (tmp_path / "far").mkdir()
    (tmp_path / "out.wav").symlink_to("far/sound.wav")
    write_sound(tmp_path / "out.wav", iter([np.full(100, 0.5, np.float32)]), 16000)
    assert (tmp_path / "out.wav").is_symlink()
    assert len(soundfile.read(tmp_path / "far" / "sound.wav")[0]) == 100
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["sound.wav"]


def test_a_device_is_written_to_and_stays(tmp_path: Path):
    (tmp_path / "null.wav").symlink_to("/dev/null")
    (tmp_path / "full.wav").symlink_to("/dev/full")
    write_sound(tmp_path / "null.wav", iter([np.zeros(100, np.float32)]), 16000)
    with pytest.raises(UserError, match=r"full\.wav: cannot be written \(No space left on device\)"):
        write_sound(tmp_path / "full.wav", iter([np.zeros(100, np.float32)]), 16000)
    assert os.readlink(tmp_path / "full.wav") == "/dev/full"


def test_a_link_to_a_folder_that_is_absent_is_refused_before_the_work(tmp_path: Path):
    (tmp_path / "out.wav").symlink_to("none/sound.wav")
    with pytest.raises(UserError, match="there is no folder "):
        check_path(tmp_path / "out.wav")
