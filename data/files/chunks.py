"""WAV, AIFF and their large forms: sizes that cannot be true are none, and what follows the audio must be chunks."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from common.progress import clock
from data.files import mpeg
from data.files.reading import MARGIN_SECONDS, REST_SECONDS, Contents, Piece, Reader

MOST_CHUNKS = 1000  # before the audio; libraries write a dozen at most
# Sizes that writers to a pipe state, less a header or rounded to whole samples: sox, arecord, ffmpeg and others.
ENDLESS = ((0x7EFF0000, 0x7F000100), (0x7FFE0000, 0x80000100), (0xFFFE0000, 0xFFFFFFFF))
WRAP = 2**32
CONTAINERS = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM")
LARGEST_FORM = 2**16
# Chunks that may stand behind the audio, whole or cut short.
USUAL = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"inst", b"fact", b"PEAK", b"JUNK", b"junk")
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
MPEG_TAGS = {0x50, 0x55}  # layers II and III
FIXED = {PCM, FLOAT, 6, 7}  # a block is one sample of each channel: A-law and mu-law too


@dataclass(frozen=True)
class Chunks:
    """The chunks of a file up to its audio.

    Attributes:
      position: of the audio's chunk.
      payload: position of the audio itself.
      size: of the audio, as the header states it.
      form: position and content of the chunk that describes the audio.
      large: position of the sizes of 64 bits, None where there are none.
    """

    position: int
    payload: int
    size: int
    form: tuple[int, bytes]
    large: int | None = None


def inspect(reader: Reader, start: int, stop: int) -> Contents:
    """Find where the audio of a WAV or AIFF file ends, whatever its header states.

    Args:
      reader: of the file.
      start: position of the container's mark.
      stop: position behind the last byte.
    """
    magic = reader.read(start, 12)
    is_aiff = magic[:4] == b"FORM"
    kind = "AIFF" if is_aiff else "WAV" if magic[:4] in (b"RIFF", b"RIFX") else magic[:4].decode()
    endian = ">" if magic[:4] in (b"FORM", b"RIFX") else "<"
    chunks = _chunks(reader, start, stop, endian, is_aiff)
    if isinstance(chunks, str):
        return Contents(kind, cut=chunks)
    rate, block, tag = _aiff_form(chunks.form[1]) if is_aiff else _wav_form(chunks.form[1], endian)
    if not rate:
        return Contents(kind)  # the decoder names what is wrong
    end, joined = _end(reader, chunks, stop, endian, round(REST_SECONDS * rate) * max(1, block))
    if tag in MPEG_TAGS:
        inside = mpeg.inspect(reader, chunks.payload, end)
        if inside is not None:
            return inside
    stated = chunks.size // block if block and not _is_no_size(chunks.size, stop - chunks.payload) else None
    held = (end - chunks.payload) // block if block else None
    cut = None
    if end < chunks.payload + chunks.size and not _is_no_size(chunks.size, stop - chunks.payload):
        cut = _cut(chunks, end, block, rate)
    pieces = None
    is_as_stated = end == min(stop, chunks.payload + chunks.size)
    if start or not is_as_stated or magic[:4] == b"BW64":
        pieces = _pieces(reader, start, chunks, end, endian, is_aiff, held)
    return Contents(kind, rate, held, True, stated=stated, pieces=pieces, cut=cut, joined=joined)


def _cut(chunks: Chunks, end: int, block: int, rate: int) -> str | None:
    """Describe how much is missing, where that is more than a moment."""
    missing = chunks.payload + chunks.size - end
    if not block:
        return f"it ends {missing:,} bytes before the end that its header states" if missing > LARGEST_FORM else None
    if missing <= MARGIN_SECONDS * rate * block:
        return None
    held, stated = (end - chunks.payload) / block / rate, chunks.size / block / rate
    return f"its header states {clock(stated)}, the file holds {clock(held)}"


def _is_no_size(size: int, left: int) -> bool:
    """Check for a size that cannot be true of a file with so many bytes left."""
    return size > left and (any(low <= size <= high for low, high in ENDLESS) or size >= 2**62)


def _chunks(reader: Reader, start: int, stop: int, endian: str, is_aiff: bool) -> Chunks | str:
    """Walk the chunks up to the one that holds the audio; a clause where there is none."""
    position, form, large, sizes = start + 12, None, None, None
    for _ in range(MOST_CHUNKS):
        head = reader.read(position, 8)
        if len(head) < 8 or position + 8 > stop:
            return "it ends before its audio begins"
        name, length = struct.unpack(f"{endian}4sI", head)
        if name in (b"data", b"SSND"):
            payload = position + 8
            if sizes is not None and length == 0xFFFFFFFF:
                length = sizes
            if is_aiff:
                offset = int.from_bytes(reader.read(payload, 4), "big")
                offset = offset if offset <= LARGEST_FORM else 0
                payload, length = payload + 8 + offset, max(0, length - 8 - offset)
            return Chunks(position, payload, length, form or (0, b""), large)
        if name == b"ds64":
            large, sizes = position + 8, int.from_bytes(reader.read(position + 16, 8), "little")
        elif name in (b"fmt ", b"COMM"):
            form = (position + 8, reader.read(position + 8, min(length, LARGEST_FORM)))
        position += 8 + length + length % 2
    return f"no audio begins within its first {MOST_CHUNKS:,} chunks"


def _wav_form(form: bytes, endian: str) -> tuple[int, int, int]:
    """Read rate, bytes of a sample of all channels (0 where they are coded otherwise) and the tag of the coding."""
    if len(form) < 16:
        return 0, 0, 0
    tag, channels, rate, _, align, bits = struct.unpack(f"{endian}HHIIHH", form[:16])
    if tag == EXTENSIBLE and len(form) >= 26:
        tag = struct.unpack(f"{endian}H", form[24:26])[0]
    if tag not in FIXED:
        return rate, 0, tag
    return rate, align or channels * ((bits + 7) // 8), tag


def _aiff_form(form: bytes) -> tuple[int, int, int]:
    """Read rate and bytes of a sample of all channels (0 where they are coded otherwise)."""
    if len(form) < 18:
        return 0, 0, 0
    channels, _, bits, exponent, mantissa = struct.unpack(">HIHHQ", form[:18])
    rate = round(mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63)) if 16383 <= exponent < 16383 + 32 else 0
    coding = form[18:22]
    widths = {b"": (bits + 7) // 8, b"NONE": (bits + 7) // 8, b"twos": (bits + 7) // 8, b"sowt": (bits + 7) // 8}
    widths |= {b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1}
    widths |= {b"in24": 3, b"in32": 4, b"23ni": 4, b"raw ": 1}
    return rate, channels * widths.get(coding, 0), 0


def _end(reader: Reader, chunks: Chunks, stop: int, endian: str, moment: int) -> tuple[int, str | None]:
    """Find the end of the audio, and what else stands behind it.

    Where its size is none, that is the end of the file. Where it is, chunks must follow, or zeros, or a moment of
    anything; where they do not, the size was never brought up to date, or counted no more than 32 bits.
    """
    if _is_no_size(chunks.size, stop - chunks.payload):
        return stop, None
    size = chunks.size
    while chunks.payload + size <= stop:
        end = chunks.payload + size
        behind = _behind(reader, end, stop, endian)
        if behind == "recording":
            return end, f"another one begins at byte {end:,}"
        if behind == "chunks":
            return end, None
        size += WRAP
    end = chunks.payload + chunks.size
    if end >= stop or (chunks.size and stop - end <= moment) or reader.is_zero(end, stop):
        return min(end, stop), None
    return stop, None


def _behind(reader: Reader, position: int, stop: int, endian: str) -> str | None:
    """Name what stands from a position to the end of the file: chunks (or nothing), another recording, or neither."""
    for _ in range(MOST_CHUNKS):
        if position >= stop:
            return "chunks"
        if mpeg.tag_length(reader.read(position, 32), stop - position):
            return "chunks"
        head = reader.read(position, 8)
        if head[:4] in CONTAINERS and reader.read(position + 8, 4) in (b"WAVE", b"AIFF", b"AIFC"):
            return "recording"
        if not _is_chunk(head, position, stop, endian):
            shifted = reader.read(position + 1, 8)  # padded to an even length
            if _is_chunk(shifted, position + 1, stop, endian) or stop - position == 1:
                position, head = position + 1, shifted
            else:
                return None
        if len(head) < 8:
            return "chunks"
        length = struct.unpack(f"{endian}I", head[4:])[0]
        position += 8 + length
        if length % 2 and reader.read(position, 1) == b"\0":
            position += 1
    return None


def _is_chunk(head: bytes, position: int, stop: int, endian: str) -> bool:
    """Check for a name and a length that ends within the file, or for a name that is usual, even where it does not."""
    if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    return head[:4] in USUAL or position + 8 + struct.unpack(f"{endian}I", head[4:])[0] <= stop + 1


def _pieces(
    reader: Reader, start: int, chunks: Chunks, end: int, endian: str, is_aiff: bool, held: int | None
) -> tuple[Piece, ...]:
    """Put the audio behind a header that states its true size."""
    head = bytearray(reader.read(start, chunks.payload - start))
    size = end - chunks.payload
    total = len(head) - 8 + size

    def put(kind: str, position: int, value: int | bytes) -> None:
        struct.pack_into(kind, head, position - start, value)

    if is_aiff:
        size = min(size, 0xFFFF0000)
        put(">I", start + 4, min(total, 0xFFFFFFFF))
        put(">I", chunks.position + 4, size + chunks.payload - chunks.position - 8)
        if held is not None and len(chunks.form[1]) >= 6:
            put(">I", chunks.form[0] + 2, min(held, 0xFFFFFFFF))
    elif total < WRAP:
        put(f"{endian}I", start + 4, total)
        put(f"{endian}I", chunks.position + 4, size)
        if chunks.large is not None:
            put("4s", start, b"RIFF")
            put("4s", chunks.large - 8, b"JUNK")
    else:
        put("4s", start, b"RF64")
        put("<I", start + 4, 0xFFFFFFFF)
        put("<I", chunks.position + 4, 0xFFFFFFFF)
        if chunks.large is not None:
            put("<Q", chunks.large, total)
            put("<Q", chunks.large + 8, size)
        else:
            head[12:12] = struct.pack("<4sIQQQI", b"ds64", 28, total + 36, size, 0, 0)
    return bytes(head), (chunks.payload, chunks.payload + size)
