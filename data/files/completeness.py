"""Finds files of which libsndfile reads a part without an error: cut short, or several in a single file.

Each check reads headers and page or frame boundaries only, never the audio. An unknown length (a stream that was
written to a pipe) is no fault.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

UNKNOWN_SIZES = {0, 0xFFFFFFFF, 0x7FFFFFFF}  # stored by writers that could not go back and fill in the size
OGG_FIRST_PAGE, OGG_LAST_PAGE = 0x02, 0x04  # flags of the pages that begin and end a logical stream (RFC 3533)
FLAC_STARTS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")  # the mark and its first block (RFC 9639)
SCAN_BYTES = 2**20
MOST_CHUNKS = 1000  # before the audio; libraries write a dozen at most
MOST_FRAMES = 2_000_000  # of MPEG audio: eleven hours; what is longer is refused for that
MP3_UNCOUNTED = 10  # frames, a quarter of a second
OGG_TAIL_BYTES = 70_000  # more than one page, which holds 65,307 bytes at most

# MPEG audio layer III (ISO 11172-3, 13818-3): kbit/s by index; Hz by version bits and index.
MP3_BITRATES = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def fault(path: Path) -> str | None:
    """Find what keeps a file from being read whole; None where its container shows no fault.

    Args:
      path: an audio file of any kind.

    Returns:
      A clause for a message, such as "is truncated: it ends 1,200 bytes before the end that its header states".
    """
    with path.open("rb") as file:
        cut, joined = _faults(file)
    if cut:
        return f"is truncated: {cut}"
    return (
        f"holds several recordings, one behind the other ({joined}): cut it into files of their own" if joined else None
    )


def _faults(file: BinaryIO) -> tuple[str | None, str | None]:
    """Describe, in clauses, how a file was cut short and what it holds behind its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    magic = file.read(12)
    if magic[:4] in (b"RIFF", b"RIFX") and magic[8:12] == b"WAVE":
        return _chunks(file, size, b"data", "<" if magic[:4] == b"RIFF" else ">"), None
    if magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
        return _chunks(file, size, b"SSND", ">"), None
    if magic[:4] == b"OggS":
        return _ogg(file, size), _ogg_behind(file, size)
    if magic[:4] == b"fLaC":
        return None, _flac_behind(file)
    if _is_mpeg(magic):
        return _mp3(mpeg := _Mpeg.of(file, size)), _mp3_behind(mpeg)
    return None, None


def guessed_samples(path: Path) -> int | None:
    """Count the samples of an MP3 file whose first frame does not state how many follow; None for any other file.

    libsndfile guesses the length of those from their size: a little too long where every frame has one size, far too
    short where frames differ, and it reads no further.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if not _is_mpeg(file.read(12)):
            return None
        mpeg = _Mpeg.of(file, size)
    return mpeg.frames * mpeg.frame_samples if mpeg.promised is None else None


def _missing(size: int, expected: int) -> str | None:
    return f"it ends {expected - size:,} bytes before the end that its header states" if expected > size else None


def _chunks(file: BinaryIO, size: int, audio: bytes, endian: str) -> str | None:
    """Walk the chunks of a RIFF or IFF file up to the one that holds the audio."""
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
    """Check that the last page is whole and flagged as the last."""
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


def _ogg_behind(file: BinaryIO, size: int) -> str | None:
    """Find a stream that begins after another one's audio."""
    audio = False
    for position, flags in _ogg_pages(file, size):
        if audio and flags & OGG_FIRST_PAGE:
            return f"another stream begins at byte {position:,}"
        audio = audio or not flags & OGG_FIRST_PAGE
    return None


def _ogg_pages(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Yield position and flags of every page, up to the first that is damaged."""
    position = 0
    while position + 27 <= size:
        file.seek(position)
        header = file.read(27)
        if header[:4] != b"OggS":
            return
        yield position, header[5]
        position += 27 + header[26] + sum(file.read(header[26]))


def _flac_behind(file: BinaryIO) -> str | None:
    """Find another stream's mark, wherever it is."""
    position, kept = 4, b""
    file.seek(position)
    while block := file.read(SCAN_BYTES):
        scanned = kept + block
        for mark in FLAC_STARTS:
            at = scanned.find(mark)
            if at >= 0:
                return f"another stream begins at byte {position - len(kept) + at:,}"
        kept = scanned[1 - len(FLAC_STARTS[0]) :]
        position += len(block)
    return None


def _is_mpeg(magic: bytes) -> bool:
    return magic[:3] == b"ID3" or (magic[:1] == b"\xff" and len(magic) > 1 and magic[1] & 0xE6 == 0xE2)


@dataclass(frozen=True)
class _Mpeg:
    """The frames of an MPEG audio file.

    Attributes:
      frames: that hold audio, up to a tag behind it, or damage that the decoder will find.
      frame_samples: of one frame.
      promised: the number of frames that follow, as the first one, which then holds no audio, states it.
      cut: the last frame is not whole, or the file ends before the first.
      ends: nothing stands behind the last frame.
    """

    frames: int
    frame_samples: int
    promised: int | None
    cut: str | None
    ends: bool

    @staticmethod
    def of(file: BinaryIO, size: int) -> _Mpeg:
        """Walk from frame to frame."""
        file.seek(0)
        magic = file.read(10)
        position, frames, frame_samples, promised = 0, 0, 0, None
        if magic[:3] == b"ID3":
            if len(magic) < 10:
                return _Mpeg(0, 0, None, "it ends before its audio begins", True)
            position = 10 + (magic[6] << 21 | magic[7] << 14 | magic[8] << 7 | magic[9])
        while position + 4 <= size and frames < MOST_FRAMES:
            file.seek(position)
            header = file.read(4)
            length = _mp3_frame(header)
            if length is None:
                break
            if position + length > size:
                return _Mpeg(frames, frame_samples, promised, "it ends within a frame", True)
            if frames == 0:
                frame_samples = 1152 if header[1] >> 3 & 3 == 3 else 576
                promised = _mp3_promise(header + file.read(length - 4))
            position += length
            frames += 1
        return _Mpeg(frames - (promised is not None), frame_samples, promised, None, size - position < 4)


def _mp3(mpeg: _Mpeg) -> str | None:
    """Check the number of frames that the first one states, and that the last one is whole."""
    if mpeg.cut is None and mpeg.promised is not None and mpeg.frames < mpeg.promised and mpeg.ends:
        return f"it holds {mpeg.frames:,} of {mpeg.promised:,} frames"
    return mpeg.cut


def _mp3_behind(mpeg: _Mpeg) -> str | None:
    """Find frames behind those that the first one announces, but for a few that encoders forget to count."""
    if mpeg.promised is None or mpeg.frames <= 1.01 * mpeg.promised + MP3_UNCOUNTED:
        return None
    return f"{mpeg.frames:,} frames, where its header announces {mpeg.promised:,}"


def _mp3_frame(header: bytes) -> int | None:
    """Compute the bytes of a layer III frame from its header; None where there is none."""
    if header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version not in MP3_RATES or bitrate in (0, 15) or rate == 3:
        return None
    kilobits = MP3_BITRATES[3 if version == 3 else 2][bitrate]
    return (144 if version == 3 else 72) * kilobits * 1000 // MP3_RATES[version][rate] + (header[2] >> 1 & 1)


def _mp3_promise(frame: bytes) -> int | None:
    """Read the number of audio frames that a Xing or Info header announces."""
    for tag in (b"Xing", b"Info"):
        at = frame.find(tag, 4, 60)
        if at >= 0 and len(frame) >= at + 12 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big")
    return None
