"""Finds files that end before their container says they do; libsndfile reads most of those without a word.

Each check looks at headers and page or frame boundaries only, never at the audio. An unknown length (a stream that was
written to a pipe) is no fault.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

UNKNOWN_SIZES = {0, 0xFFFFFFFF, 0x7FFFFFFF}  # what writers put down that could not go back and fill in the size
OGG_LAST_PAGE = 0x04  # flag of the page that ends a logical stream (RFC 3533)
MOST_CHUNKS = 1000  # before the audio; libraries write a dozen at most
MOST_FRAMES = 2_000_000  # of MPEG audio: eleven hours; what is longer is refused for that
OGG_TAIL_BYTES = 70_000  # more than one page, which holds 65,307 bytes at most

# MPEG audio layer III (ISO 11172-3, 13818-3): kbit/s by index; Hz by version bits and index.
MP3_BITRATES = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def truncation(path: Path) -> str | None:
    """Why a file cannot be whole, or None where its container shows no sign of that.

    Args:
      path: an audio file of any kind.

    Returns:
      A clause for a message, such as "it ends 1,200 bytes before its header says".
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        magic = file.read(12)
        if magic[:4] in (b"RIFF", b"RIFX") and magic[8:12] == b"WAVE":
            return _chunks(file, size, b"data", "<" if magic[:4] == b"RIFF" else ">")
        if magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
            return _chunks(file, size, b"SSND", ">")
        if magic[:4] == b"OggS":
            return _ogg(file, size)
        if magic[:3] == b"ID3" or (magic[:1] == b"\xff" and len(magic) > 1 and magic[1] & 0xE6 == 0xE2):
            return _mp3(file, size, magic)
    return None


def _missing(size: int, expected: int) -> str | None:
    return f"it ends {expected - size:,} bytes before its header says" if expected > size else None


def _chunks(file: BinaryIO, size: int, audio: bytes, endian: str) -> str | None:
    """Walks the chunks of a RIFF or IFF file up to the one that holds the audio."""
    position = 12
    for _ in range(MOST_CHUNKS):
        if position + 8 > size:
            return "it ends before its audio begins"
        file.seek(position)
        name, length = struct.unpack(f"{endian}4sI", file.read(8))
        if name == audio:
            return None if length in UNKNOWN_SIZES else _missing(size, position + 8 + length)
        position += 8 + length + length % 2
    return f"no audio begins within its first {MOST_CHUNKS:,} chunks"


def _ogg(file: BinaryIO, size: int) -> str | None:
    """The last page must be whole and flagged as the last."""
    file.seek(max(0, size - OGG_TAIL_BYTES))
    tail = file.read()
    start = tail.rfind(b"OggS")
    header = tail[start : start + 27]
    if start < 0 or len(header) < 27:
        return "it ends within a page"
    segments = tail[start + 27 : start + 27 + header[26]]
    if len(segments) < header[26] or start + 27 + len(segments) + sum(segments) > len(tail):
        return "it ends within a page"
    return None if header[5] & OGG_LAST_PAGE else "its last page is missing"


def _mp3(file: BinaryIO, size: int, magic: bytes) -> str | None:
    """The first frame may tell how many follow; without that, the last one must be whole."""
    position = 0
    if magic[:3] == b"ID3":
        if len(magic) < 10:
            return "it ends before its audio begins"
        tag = magic[6:10]
        position = 10 + (tag[0] << 21 | tag[1] << 14 | tag[2] << 7 | tag[3])
    frames, promised = 0, None
    while position + 4 <= size and frames < MOST_FRAMES:
        file.seek(position)
        length = _mp3_frame(file.read(4))
        if length is None:
            break  # a tag behind the audio, or damage that the decoder will find
        if position + length > size:
            return "it ends within a frame"
        if frames == 0:
            file.seek(position)
            promised = _mp3_promise(file.read(length))
        position += length
        frames += 1
    if frames and promised is not None and frames - 1 < promised and size - position < 4:
        return f"it holds {frames - 1:,} of {promised:,} frames"
    return None


def _mp3_frame(header: bytes) -> int | None:
    """Bytes of a layer III frame, from its header; None where there is none."""
    if header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version not in MP3_RATES or bitrate in (0, 15) or rate == 3:
        return None
    kilobits = MP3_BITRATES[3 if version == 3 else 2][bitrate]
    return (144 if version == 3 else 72) * kilobits * 1000 // MP3_RATES[version][rate] + (header[2] >> 1 & 1)


def _mp3_promise(frame: bytes) -> int | None:
    """Audio frames that a Xing or Info header announces."""
    for tag in (b"Xing", b"Info"):
        at = frame.find(tag, 4, 60)
        if at >= 0 and len(frame) >= at + 12 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big")
    return None
