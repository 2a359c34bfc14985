"""Files and folders that lie, loop or have no end are set aside at once: no hang, no crash, no unbounded memory."""

import os
import struct

import numpy as np
import pytest

from common.errors import UserError
from data.files import decode as decoding
from data.files.decode import Spool, Unusable, decode, duration_seconds
from data.files.listing import list_recordings
from tests.data.sounds import melody, write

LINE = melody(2.0)


def wav(rate: int, channels: int, body: bytes, coding: int = 1, bits: int = 16) -> bytes:
    """A WAV file with any header."""
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    head = b"RIFF" + struct.pack("<I", 36 + len(body)) + b"WAVEfmt " + struct.pack("<I", len(form)) + form
    return head + b"data" + struct.pack("<I", len(body)) + body


def refused(path) -> str:
    with pytest.raises(Unusable) as caught, Spool() as spool:
        decode(path, 16000, spool)
    assert spool.samples <= 16000 * decoding.BLOCK_SECONDS * 2, "much was decoded before it was refused"
    return caught.value.reason


@pytest.mark.parametrize("rate", [1, 100, 3_999, 768_001, 2**31 - 1])
def test_an_absurd_sample_rate_is_refused_before_anything_is_resampled(tmp_path, rate):
    path = tmp_path / "lie.wav"
    path.write_bytes(wav(rate, 1, (LINE * 30000).astype("<i2").tobytes()))
    assert f"sample rate of {rate:,} Hz" in refused(path)


def test_a_thousand_channels_are_read_in_blocks_of_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "BLOCK_SAMPLES", 10_240)
    sizes: list[int] = []
    add = decoding.Clipping.add
    monkeypatch.setattr(
        decoding.Clipping, "add", lambda self, block, first: (sizes.append(block.size), add(self, block, first))[1]
    )
    path = tmp_path / "wide.wav"
    path.write_bytes(wav(48000, 1024, np.zeros(1024 * 400, "<i2").tobytes()))
    with Spool() as spool:
        assert decode(path, 48000, spool).channels == 1024
        assert spool.samples == 400
    assert max(sizes) <= 10_240


@pytest.mark.parametrize("gain", [100.0, 32768.0, 1e30])
def test_floats_far_beyond_full_scale_are_refused_with_their_time(tmp_path, gain):
    path = tmp_path / "loud.wav"
    audio = LINE.copy()
    audio[20000:] *= gain
    path.write_bytes(wav(16000, 1, audio.astype("<f4").tobytes(), coding=3, bits=32))
    with pytest.raises(Unusable, match="full scale") as caught, Spool() as spool:
        decode(path, 16000, spool)
    assert caught.value.at_seconds == pytest.approx(1.25, abs=0.01)


def test_a_recording_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "LONGEST_HOURS", 1.9 / 3600)
    path = write(tmp_path / "long.flac", LINE)
    assert "is longer than" in refused(path)
    assert duration_seconds(path) == 0.0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_not_a_file_is_not_waited_for(tmp_path):
    pipe, nowhere = tmp_path / "pipe.wav", tmp_path / "nowhere.wav"
    os.mkfifo(pipe)
    nowhere.symlink_to(tmp_path / "absent.wav")
    for path in (pipe, nowhere):
        assert duration_seconds(path) == 0.0
        assert "is not a file" in refused(path)


def test_a_link_to_a_folder_above_lists_nothing_twice(tmp_path):
    write(tmp_path / "takes" / "line.wav", LINE)
    (tmp_path / "takes" / "again").symlink_to(tmp_path)
    assert [name.count("line.wav") for name in list_recordings(str(tmp_path), "*", 1).names] == [1]


def test_a_name_that_is_not_unicode_is_named_and_decoding_would_not_mind(tmp_path):
    path = write(tmp_path / "plain.wav", LINE)
    odd = os.fsencode(tmp_path) + b"/odd\xff.wav"
    try:
        os.rename(path, odd)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    with Spool() as spool:
        assert decode(type(path)(os.fsdecode(odd)), 16000, spool).seconds == 2.0
    with pytest.raises(UserError, match=r"xff\.wav.* is not Unicode"):
        list_recordings(str(tmp_path), "*", 1)
