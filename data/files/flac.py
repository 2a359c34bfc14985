"""FLAC (RFC 9639): the sample numbers of the first and the last frame are held against the header's count."""

from __future__ import annotations

from dataclasses import dataclass

from common.progress import clock
from data.files.reading import MARGIN_SECONDS, Contents, Piece, Reader

STARTS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")  # the mark and its first block
STREAMINFO_END = 42
DEPTHS = (8, 16, 24)  # bits that the decoder takes
MOST_BLOCKS = 1000  # of metadata; libraries write a dozen at most
TAIL_BYTES = 2**16  # that hold at least two frames, but where the header states larger ones
BLOCK_SIZES = {1: 192, **{2 + n: 576 << n for n in range(4)}, **{8 + n: 256 << n for n in range(8)}}
LARGEST_HEADER = 16


@dataclass(frozen=True)
class StreamInfo:
    """Facts of the first block.

    Attributes:
      largest_block: samples of the largest frame.
      largest_frame: its bytes; 0 where it is not stated.
      rate: Hz.
      channels: their number.
      bits: of a sample.
      samples: of one channel; 0 where it is not stated.
    """

    largest_block: int
    largest_frame: int
    rate: int
    channels: int
    bits: int
    samples: int


def stream_info(block: bytes) -> StreamInfo:
    """Parse the 34 bytes of a STREAMINFO block."""
    packed = int.from_bytes(block[10:18], "big")
    return StreamInfo(
        largest_block=int.from_bytes(block[2:4], "big"),
        largest_frame=int.from_bytes(block[7:10], "big"),
        rate=packed >> 44,
        channels=(packed >> 41 & 7) + 1,
        bits=(packed >> 36 & 31) + 1,
        samples=packed & (1 << 36) - 1,
    )


def with_samples(head: bytes, samples: int) -> bytes:
    """Replace the count in the first bytes of a stream, at least 26; one that does not fit becomes unknown."""
    samples = samples if samples < 1 << 36 else 0
    return head[:21] + bytes((head[21] & 0xF0 | samples >> 32,)) + (samples & 0xFFFFFFFF).to_bytes(4, "big") + head[26:]


def inspect(reader: Reader, start: int, stop: int) -> Contents:
    """Hold a stream's count of samples against its frames.

    Args:
      reader: of the file.
      start: position of the mark `fLaC`.
      stop: position behind the last byte.
    """
    head = reader.read(start, STREAMINFO_END)
    audio = _audio(reader, start, stop)
    if len(head) < STREAMINFO_END or audio is None:
        return Contents("FLAC", cut="it ends before its audio begins")
    info = stream_info(head[8:])
    if not info.rate or head[4] & 0x7F:
        return Contents("FLAC")  # the decoder names what is wrong
    if info.bits not in DEPTHS:
        what = f"is FLAC with samples of {info.bits} bits, which is not decoded: convert it to flac or wav of 24 bits"
        return Contents("FLAC", unread=what)
    another = _another(reader, start + 4, stop)
    if another is not None:
        return Contents("FLAC", info.rate, joined=f"another stream begins at byte {another:,}")
    whole: tuple[Piece, ...] | None = None if start == 0 else ((start, stop),)
    stated = info.samples or None
    first, last = frame_of(reader.read(audio, LARGEST_HEADER), info), _last(reader, audio, stop, info)
    if first is None or last is None:
        return Contents("FLAC", info.rate, stated=stated, pieces=whole)
    held, cut, pieces = last.end - first.start, None, whole
    if stated is not None and last.start - first.start >= stated:  # a frame behind the last sample that is counted
        pieces = (with_samples(head, held), (start + STREAMINFO_END, stop))
    elif stated is not None:
        if held < stated - MARGIN_SECONDS * info.rate:
            cut = f"its header states {clock(stated / info.rate)}, the file holds {clock(held / info.rate)}"
        held = min(held, stated)
    return Contents("FLAC", info.rate, held, True, stated, pieces, cut)


def _audio(reader: Reader, start: int, stop: int) -> int | None:
    """Find the position of the first frame, behind all metadata."""
    position = start + 4
    for _ in range(MOST_BLOCKS):
        header = reader.read(position, 4)
        if len(header) < 4:
            return None
        position += 4 + int.from_bytes(header[1:], "big")
        if header[0] & 0x80:
            return position if position < stop else None
    return None


def _another(reader: Reader, start: int, stop: int) -> int | None:
    found = [at for mark in STARTS if (at := reader.find(mark, start, stop)) >= 0]
    return min(found, default=None)


@dataclass(frozen=True)
class Frame:
    """The header of a frame.

    Attributes:
      start: number of its first sample.
      end: number of the sample behind its last one.
    """

    start: int
    end: int


def frame_of(header: bytes, info: StreamInfo) -> Frame | None:
    """Parse the header of a frame of a stream; None where there is none."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xFE != 0xF8 or header[3] & 1:
        return None
    size_code, channels = header[2] >> 4, header[3] >> 4
    if not size_code or (channels + 1 if channels < 8 else 2) != info.channels or channels > 10:
        return None
    number, position = _coded_number(header, 4)
    if number is None:
        return None
    if size_code in (6, 7):
        width = size_code - 5
        size = int.from_bytes(header[position : position + width], "big") + 1
        position += width
    else:
        size = BLOCK_SIZES[size_code]
    rate_code = header[2] & 15
    position += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if rate_code == 15 or position >= len(header) or _crc8(header[:position]) != header[position]:
        return None
    first = number if header[1] & 1 else number * info.largest_block
    return Frame(first, first + size)


def _coded_number(header: bytes, position: int) -> tuple[int | None, int]:
    """Read a number that is coded like a character of UTF-8, of up to 36 bits; and the position behind it."""
    lead = header[position]
    if lead < 0x80:
        return lead, position + 1
    length = 8 - (~lead & 0xFF).bit_length()
    if not 2 <= length <= 7 or position + length > len(header):
        return None, position
    number = lead & (1 << 7 - length) - 1
    for byte in header[position + 1 : position + length]:
        if byte & 0xC0 != 0x80:
            return None, position
        number = number << 6 | byte & 0x3F
    return number, position + length


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value << 1 ^ 0x107 if value & 0x80 else value << 1
    return value


def _last(reader: Reader, start: int, stop: int, info: StreamInfo) -> Frame | None:
    """Find the last frame: the last header whose number goes on from another's in the tail, or that is the only one."""
    stop = min(stop, reader.without_zeros(start, stop) + LARGEST_HEADER)
    window = max(TAIL_BYTES, 3 * info.largest_frame)
    tail_start = max(start, stop - window)
    tail = reader.read(tail_start, stop - tail_start)
    found: list[Frame] = []
    for mark in (b"\xff\xf8", b"\xff\xf9"):
        at = tail.find(mark)
        while at >= 0:
            frame = frame_of(tail[at : at + LARGEST_HEADER], info)
            if frame is not None:
                found.append(frame)
            at = tail.find(mark, at + 1)
    ends = {frame.end for frame in found}
    going_on = [frame for frame in found if frame.start in ends]
    if not going_on:
        return found[0] if len(found) == 1 else None
    return max(going_on, key=lambda frame: frame.start)
