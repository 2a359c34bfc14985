"""Any container, rate, depth and channel count becomes the same mono audio; errors name the damage and its position."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from data.files import decode as decoding
from data.files.decode import Source, Spool, Unusable, decode
from data.files.high_pass import HighPass
from tests.data.sounds import melody, write

RATE = 22050
LINE = melody(6.0, RATE)
CONTAINERS = ["wav", "flac", "ogg", "mp3", "aiff"]


def decoded(path: Path, rate: int = 16000) -> tuple[Source, np.ndarray]:
    with Spool() as spool:
        source = decode(path, rate, spool)
        return source, spool.read(0, spool.samples)


def high_passed(audio: np.ndarray, rate: int = RATE) -> np.ndarray:
    return HighPass(rate)(np.asarray(audio, np.float32))


def reason(path: Path) -> Unusable:
    with pytest.raises(Unusable) as caught, Spool() as spool:
        decode(path, 16000, spool)
    return caught.value


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_audio(tmp_path, container):
    source, audio = decoded(write(tmp_path / f"line.{container}", LINE, RATE))
    expected = soxr.resample(LINE, RATE, 16000)
    assert source.seconds == pytest.approx(6.0, abs=0.1)
    lag = np.argmax(np.correlate(audio[1000:9000], expected[1500:8000], "valid")) - 500
    assert abs(lag) <= 16  # a millisecond
    shared = slice(1000, min(len(audio), len(expected)) - 1000)
    assert np.corrcoef(np.roll(audio, -lag)[shared], expected[shared])[0, 1] > 0.99


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("wanted", [16000, 48000])
def test_every_rate_is_resampled_without_delay(tmp_path, rate, wanted):
    line = melody(5.0, rate)
    _, audio = decoded(write(tmp_path / "line.wav", line, rate), wanted)
    assert len(audio) == pytest.approx(5.0 * wanted, abs=1)
    expected = high_passed(soxr.resample(np.rint(line * 32767) / 32768, rate, wanted), wanted)
    np.testing.assert_allclose(audio[: len(expected)], expected[: len(audio)], atol=2e-4)


@pytest.mark.parametrize("depth", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_depth_gives_the_audio(tmp_path, depth):
    _, audio = decoded(write(tmp_path / "line.wav", LINE, RATE, subtype=depth), RATE)
    np.testing.assert_allclose(audio, high_passed(LINE), atol=1 / 100 if depth == "PCM_U8" else 1 / 16000)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_mixed_by_their_mean(tmp_path, channels):
    weights = np.linspace(0.2, 1.0, channels)
    source, audio = decoded(write(tmp_path / "line.wav", LINE[:, None] * weights, RATE, subtype="FLOAT"), RATE)
    assert source.channels == channels
    np.testing.assert_allclose(audio, high_passed(LINE * weights.mean()), atol=1e-6)


def test_the_length_of_blocks_changes_nothing(tmp_path, monkeypatch):
    path = write(tmp_path / "line.flac", LINE, RATE)
    source, audio = decoded(path)
    monkeypatch.setattr(decoding, "BLOCK_SECONDS", 0.013)
    again, pieces = decoded(path)
    assert again.recording_id == source.recording_id
    np.testing.assert_allclose(pieces, audio, atol=1e-6)


def test_a_copy_in_another_lossless_container_or_depth_has_the_same_content_hash(tmp_path):
    copies = [
        write(tmp_path / "a.wav", LINE, RATE),
        write(tmp_path / "b.flac", LINE, RATE),
        write(tmp_path / "c.aiff", LINE, RATE),
        write(tmp_path / "d.wav", np.rint(LINE * 32767) / 32768, RATE, subtype="FLOAT"),
        write(tmp_path / "e.flac", np.rint(LINE * 32767).astype(np.int32) << 16, RATE, subtype="PCM_24"),
        write(tmp_path / "f.wav", np.stack([LINE, LINE], axis=1), RATE),
    ]
    assert len({decoded(path)[0].recording_id for path in copies}) == 1


def test_other_audio_has_another_content_hash(tmp_path):
    changed = np.rint(LINE * 32767).astype(np.int16)
    changed[70_000] += 1
    ids = {
        decoded(write(tmp_path / "a.wav", LINE, RATE))[0].recording_id,
        decoded(write(tmp_path / "b.wav", changed, RATE))[0].recording_id,
        decoded(write(tmp_path / "c.wav", LINE[:-1], RATE))[0].recording_id,
        decoded(write(tmp_path / "d.wav", LINE, 24000))[0].recording_id,
    }
    assert len(ids) == 4


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1])
def test_a_truncated_file_is_recognised_in_every_container(tmp_path, container, kept):
    whole = write(tmp_path / f"line.{container}", LINE, RATE).read_bytes()
    for extra in (0, 1, 7):
        cut = tmp_path / f"cut.{container}"
        cut.write_bytes(whole[: int(kept * len(whole)) + extra])
        assert "truncated" in reason(cut).reason


def test_a_truncated_file_says_where_it_ends(tmp_path):
    whole = write(tmp_path / "line.wav", LINE, RATE).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    assert reason(tmp_path / "cut.wav").at_seconds == pytest.approx(3.0, abs=0.01)


def test_a_stream_of_unknown_length_is_not_truncated(tmp_path):
    whole = bytearray(write(tmp_path / "line.wav", LINE, RATE).read_bytes())
    at = whole.index(b"data")
    whole[at + 4 : at + 8] = whole[4:8] = b"\xff\xff\xff\xff"
    (tmp_path / "piped.wav").write_bytes(whole)
    assert decoded(tmp_path / "piped.wav")[0].seconds == pytest.approx(6.0, abs=0.01)


def test_a_flac_of_unknown_length_is_read_whole(tmp_path):
    whole = bytearray(write(tmp_path / "line.flac", LINE, RATE).read_bytes())
    whole[21] &= 0xF0  # the number of samples: 36 bits from there on, 0 where a pipe was written to
    whole[22:26] = bytes(4)
    (tmp_path / "piped.flac").write_bytes(whole)
    assert decoded(tmp_path / "piped.flac")[0].seconds == pytest.approx(6.0, abs=0.01)


def without_its_first_frame(path: Path) -> Path:
    """An MP3 file as encoders write it that do not go back: nothing states how many frames there are."""
    stored = path.read_bytes()
    path.write_bytes(stored[stored.index(b"\xff\xf3" if RATE < 32000 else b"\xff\xfb", 1) :])
    return path


@pytest.mark.parametrize("seconds", [6.0, 20.0])
def test_an_mp3_that_does_not_tell_its_length_is_read_whole_where_frames_have_one_size(tmp_path, seconds):
    line = melody(seconds, RATE)
    soundfile.write(tmp_path / "line.mp3", line, RATE, bitrate_mode="CONSTANT", compression_level=0.5)
    source, _ = decoded(without_its_first_frame(tmp_path / "line.mp3"))
    assert source.seconds == pytest.approx(seconds, abs=0.1)


def test_an_mp3_whose_frames_differ_in_size_and_that_states_no_length_is_read_whole(tmp_path):
    noisy = LINE.copy()
    noisy[: RATE * 2] += 0.2 * np.random.default_rng(0).standard_normal(RATE * 2).astype(np.float32)  # large frames
    line = np.concatenate([noisy, np.zeros(RATE * 20, np.float32)])  # and small ones
    soundfile.write(tmp_path / "line.mp3", line, RATE, bitrate_mode="VARIABLE", compression_level=0.5)
    assert decoded(without_its_first_frame(tmp_path / "line.mp3"))[0].seconds == pytest.approx(26.0, abs=0.1)


@pytest.mark.parametrize("container", ["mp3", "ogg", "flac"])
def test_recordings_one_behind_the_other_in_a_file_are_set_aside(tmp_path, container):
    whole = write(tmp_path / f"line.{container}", LINE, RATE).read_bytes()
    (tmp_path / f"two.{container}").write_bytes(whole + whole)
    assert "several recordings" in reason(tmp_path / f"two.{container}").reason


def test_an_mp3_with_tags_before_and_behind_is_whole(tmp_path):
    audio = write(tmp_path / "line.mp3", LINE, RATE).read_bytes()
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x20" + bytes(32) + audio + b"TAG" + bytes(125))
    assert decoded(tagged)[0].seconds == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "0 bytes"), (b"not music at all\n" * 50, "not audio"), (b"RIFF", "not audio")]
)
def test_what_is_no_audio_is_reported_as_such(tmp_path, content, message):
    (tmp_path / "bad.wav").write_bytes(content)
    assert message in reason(tmp_path / "bad.wav").reason


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_found_with_their_time(tmp_path, bad):
    line = LINE.copy()
    line[round(4.5 * RATE)] = bad
    found = reason(write(tmp_path / "bad.wav", line, RATE, subtype="FLOAT"))
    assert "NaN" in found.reason
    assert found.at_seconds == pytest.approx(4.5, abs=1e-3)


@pytest.mark.parametrize(("gain", "ceiling"), [(10, 1.0), (10, 0.99), (6, 0.7)])
@pytest.mark.parametrize("depth", ["PCM_16", "PCM_24", "FLOAT"])
def test_clipping_is_counted_at_full_scale_and_below(tmp_path, gain, ceiling, depth):
    clipped = np.clip(LINE * gain, -ceiling, ceiling)
    source, _ = decoded(write(tmp_path / "loud.wav", clipped, RATE, subtype=depth))
    assert source.clipped_fraction == pytest.approx(np.mean(np.abs(clipped) == np.float32(ceiling)), rel=0.2)
    assert source.clipped_at_seconds < 0.1


@pytest.mark.parametrize("depth", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("peak", [0.9, 1.0, 1.5, 2.0, 4.0, 12.0])
def test_floats_beyond_full_scale_are_not_clipped_and_flat_tops_among_them_are(tmp_path, peak, depth):
    loud = LINE.astype(np.float64) * peak / np.abs(LINE).max()
    source, audio = decoded(write(tmp_path / "hot.wav", loud, RATE, subtype=depth))
    np.testing.assert_allclose(np.abs(audio).max(), peak, rtol=0.1)  # what the filter turns
    assert source.peak == pytest.approx(np.abs(audio).max())
    assert source.clipped_fraction < 1e-3
    flat = np.clip(loud, -0.4 * peak, 0.4 * peak)
    source, _ = decoded(write(tmp_path / "flat.wav", flat, RATE, subtype=depth))
    assert source.clipped_fraction == pytest.approx(np.mean(np.abs(flat) == 0.4 * peak), rel=0.2)
    assert source.clipped_fraction > 0.01


@pytest.mark.parametrize("peak", [0.01, 0.3, 0.999])
def test_music_that_is_not_clipped_has_hardly_a_clipped_sample(tmp_path, peak):
    source, _ = decoded(write(tmp_path / "fine.wav", LINE * (peak / np.abs(LINE).max()), RATE))
    assert source.clipped_fraction < 1e-3


def test_a_clipped_mp3_is_recognised_too(tmp_path):
    source, _ = decoded(write(tmp_path / "loud.mp3", np.clip(LINE * 10, -1, 1), RATE))
    assert source.clipped_fraction > 0.05


def test_a_spool_reads_zeros_outside():
    with Spool() as spool:
        spool.append(np.arange(1, 5, dtype=np.float32))
        spool.pad(6)
        assert spool.read(-2, 8).tolist() == [0, 0, 1, 2, 3, 4, 0, 0, 0, 0]
        assert spool.read(10, 12).tolist() == [0, 0]
        assert spool.read(-3, -1).tolist() == [0, 0]
