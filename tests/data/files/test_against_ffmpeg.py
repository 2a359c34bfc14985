"""Files of every container, codec, rate, depth and channel count give as many samples as FFmpeg decodes of them."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.files.decode import Spool, decode
from tests.data.sounds import melody, write

RATES = (8000, 16000, 22050, 44100, 48000, 96000)
SECONDS = 6.0
KINDS = (  # ending, FFmpeg's name of the format, codecs
    ("wav", "wav", ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_mulaw", "pcm_alaw", "adpcm_ms")),
    ("aiff", "aiff", ("pcm_s16be", "pcm_s24be", "pcm_s16le")),
    ("caf", "caf", ("pcm_s16be", "pcm_s24le", "pcm_f32le")),
    ("w64", "w64", ("pcm_s16le", "pcm_s24le")),
    ("au", "au", ("pcm_s16be", "pcm_mulaw")),
    ("flac", "flac", ("flac",)),
    ("oga", "ogg", ("flac",)),
    ("mp3", "mp3", ("libmp3lame",)),
    ("mp2", "mp2", ("mp2",)),
    ("ogg", "ogg", ("libvorbis",)),
    ("opus", "ogg", ("libopus",)),
)
# Samples of its own rate that a codec may add or drop: filters and whole blocks. Others are lossless.
DELAY = {"libmp3lame": 2 * 1152, "mp2": 1152, "libvorbis": 64, "libopus": 1152, "adpcm_ms": 4096}
PADDED = {".w64": 4}  # samples: FFmpeg counts the zeros up to a multiple of 8 bytes, unless it writes to a pipe
TAG = b"ID3\4\0\0\0\0\x10\0" + bytes(2048)
NOT_DECODED = {("adpcm_ms", 96000)}  # by libsndfile: its blocks are too large
TOOLS = ("ffmpeg", "ffprobe")


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"not installed: {' '.join(missing)}")


def ffmpeg(*arguments: str) -> bytes:
    """Its standard output; empty where it refuses a combination, such as Vorbis at some rates."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments]
    return subprocess.run(command, capture_output=True, check=False).stdout


def made(folder: Path, source: Path) -> Iterator[tuple[Path, str, int]]:
    """Files as FFmpeg writes them: to a file, to a pipe, behind a tag and before zeros; with codec and rate."""
    for (ending, form, codecs), rate, channels in itertools.product(KINDS, RATES, (1, 2)):
        for codec in codecs:
            path = folder / f"{codec}-{rate}-{channels}.{ending}"
            options = ("-i", str(source), "-ar", str(rate), "-ac", str(channels), "-c:a", codec, "-f", form)
            ffmpeg(*options, str(path))
            if not path.exists() or not path.stat().st_size or (codec, rate) in NOT_DECODED:
                continue
            piped, behind = path.with_name(f"piped-{path.name}"), path.with_name(f"tagged-{path.name}")
            piped.write_bytes(ffmpeg(*options, "-"))
            behind.write_bytes(TAG + path.read_bytes() + bytes(4097))
            yield from ((one, codec, rate) for one in (path, piped, behind) if one.stat().st_size)


def decoded_by_ffmpeg(path: Path) -> float:
    """Seconds of audio."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0", str(path)]
    rate, channels = subprocess.run(probe, capture_output=True, text=True, check=True).stdout.split()[0].split(",")[:2]
    return len(ffmpeg("-i", str(path), "-f", "s16le", "-")) / 2 / int(channels) / int(rate)


@pytest.mark.soak(part="data")
def test_hundreds_of_files_have_as_many_samples_as_ffmpeg_decodes(tmp_path: Path):
    source = write(tmp_path / "source.wav", melody(SECONDS, 44100), 44100)
    (tmp_path / "made").mkdir()
    count, whole, off = 0, 0.0, []
    for path, codec, rate in made(tmp_path / "made", source):
        if not path.name.startswith(("piped-", "tagged-")):  # FFmpeg reads some of the others in part, or not at all
            whole = decoded_by_ffmpeg(path)
        with Spool() as spool:
            seconds = decode(path, 44100, spool).seconds
        if abs(seconds - whole) * rate > DELAY.get(codec, PADDED.get(path.suffix, 0)) + 0.5:
            off.append((path.name, seconds, whole))
        path.unlink()
        count += 1
    assert not off
    assert count >= 300
