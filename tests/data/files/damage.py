"""Damaged audio files: every container, every kind of damage, any number of them, the same for the same seed."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from tests.data.sounds import melody

Damage = Callable[[bytes, np.random.Generator], bytes]

SECONDS = 0.8
SHAPES = ((16000, 1), (44100, 2), (48000, 8), (192000, 1))  # Hz, channels
CONTAINERS = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "flac": ("FLAC", "PCM_24"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
}
LOSSY = {"ogg": (192_000, 8), "opus": (48_000, 8), "mp3": (48_000, 2)}  # highest rate and channels of a container
EXTREMES = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
HEADER = 64  # bytes; the fields of rate, channels, depth and length lie there in every container


@cache
def whole(container: str, rate: int, channels: int, samples: int | None = None, poison: float = 0.0) -> bytes:
    """A file as it should be; `poison` replaces one sample."""
    most_rate, most_channels = LOSSY.get(container, (rate, channels))
    rate, channels = min(rate, most_rate), min(channels, most_channels)
    rate = 48_000 if container == "opus" else rate
    audio = np.repeat(melody(SECONDS, rate)[:samples, None], channels, axis=1)
    if poison:
        audio[len(audio) // 2] = poison
    file, (form, coding) = io.BytesIO(), CONTAINERS[container]
    soundfile.write(file, audio, rate, format=form, subtype=coding)
    return file.getvalue()


def flipped(stored: bytes, draw: np.random.Generator) -> bytes:
    """Single bits, somewhere."""
    return _flipped(stored, draw, len(stored))


def flipped_in_the_header(stored: bytes, draw: np.random.Generator) -> bytes:
    """Single bits in the fields of rate, channels and lengths."""
    return _flipped(stored, draw, HEADER)


def _flipped(stored: bytes, draw: np.random.Generator, among: int) -> bytes:
    changed = np.frombuffer(stored, np.uint8).copy()
    bytes_hit = draw.integers(0, min(among, len(changed)), draw.integers(1, 30))
    changed[bytes_hit] ^= (1 << draw.integers(0, 8, len(bytes_hit))).astype(np.uint8)
    return changed.tobytes()


def truncated(stored: bytes, draw: np.random.Generator) -> bytes:
    """The beginning only."""
    return stored[: draw.integers(0, len(stored))]


def lying(stored: bytes, draw: np.random.Generator) -> bytes:
    """A header with an extreme number instead of another, huge lengths among them."""
    changed, value = bytearray(stored), int(draw.choice(EXTREMES))
    kind = str(draw.choice(["<I", ">I", "<H", ">H"]))
    size = struct.calcsize(kind)
    offset = int(draw.integers(4, HEADER - size))
    changed[offset : offset + size] = struct.pack(kind, value & (1 << 8 * size) - 1)
    return bytes(changed)


def endless(stored: bytes, draw: np.random.Generator) -> bytes:
    """The length of the audio, wherever the container states it, is the largest that fits."""
    changed = bytearray(stored)
    for mark, offset, size in ((b"data", 4, 4), (b"SSND", 4, 4), (b"COMM", 10, 4), (b"fLaC", 22, 4), (b"Xing", 8, 4)):
        at = stored.find(mark)
        if at >= 0:
            changed[at + offset : at + offset + size] = b"\xfe" + b"\xff" * (size - 1)
    at = stored.rfind(b"OggS")
    if at >= 0:
        changed[at + 6 : at + 14] = b"\xff" * 7 + b"\x7f"
    return bytes(changed)


def spliced(stored: bytes, draw: np.random.Generator) -> bytes:
    """A piece is missing, doubled, or all zeros."""
    first, last = sorted(draw.integers(0, len(stored), 2))
    between = (b"", stored[first:last] * 2, bytes(last - first))[draw.integers(3)]
    return stored[:first] + between + stored[last:]


def mislabelled(stored: bytes, draw: np.random.Generator) -> bytes:
    """The head of one container before the body of another."""
    other = whole(str(draw.choice(list(CONTAINERS))), 16000, 1)
    cut = int(draw.integers(4, HEADER))
    return other[:cut] + stored[cut:]


DAMAGES: tuple[Damage, ...] = (
    flipped,
    flipped_in_the_header,
    truncated,
    lying,
    endless,
    spliced,
    mislabelled,
)


def odd_files() -> dict[str, bytes]:
    """Files that no damage made and that are hardly recordings: name -> content."""
    files = {"empty.wav": b"", "text.flac": b"not audio\n" * 50, "zeros.mp3": bytes(5000)}
    files["tag.mp3"] = b"ID3\4\0\0" + b"\x7f" * 4  # a tag of 256 MB, by its header
    files["chunks.wav"] = b"RIFF\xff\xff\xff\x7fWAVE" + bytes(20_000_000)  # two and a half million chunks of nothing
    files["frames.mp3"] = b"\xff\xfb\x14\xc4" * 1_000_000  # frames within frames
    for container in CONTAINERS:
        for rate, channels in SHAPES:
            for samples in (1, 2, 100):
                files[f"{samples}-of-{rate}-by-{channels}.{container}"] = whole(container, rate, channels, samples)
    for name, value in (("nan", np.nan), ("infinite", np.inf), ("huge", 1e30), ("tiny", 1e-40)):
        for rate, channels in SHAPES:
            files[f"{name}-{rate}-by-{channels}.float.wav"] = whole("float.wav", rate, channels, None, value)
    return files


def write_damaged(folder: Path, count: int, seed: int) -> list[str]:
    """Writes damaged files and odd ones; returns their names."""
    draw = np.random.default_rng(seed)
    files = odd_files()
    kinds = [(container, damage) for container in CONTAINERS for damage in DAMAGES]
    for number in range(count):
        container, damage = kinds[number % len(kinds)]
        rate, channels = SHAPES[draw.integers(len(SHAPES))]
        name = f"{number:05d}-{damage.__name__}-{rate}-by-{channels}.{container}"
        files[name] = damage(whole(container, rate, channels), draw)
    folder.mkdir(parents=True, exist_ok=True)
    for name, stored in files.items():
        (folder / name).write_bytes(stored)
    return sorted(files)
