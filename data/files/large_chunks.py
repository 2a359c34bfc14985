"""CAF, W64 and AU, whose sizes have 64 bits or may be left open."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from common.progress import clock
from data.files.reading import MARGIN_SECONDS, REST_SECONDS, Contents, Piece, Reader

MOST_CHUNKS = 1000
W64_MARK = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
W64_HEAD, CAF_HEAD = 40, 8  # bytes in front of the first chunk
AU_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # bytes of a sample, by the number of its coding
AU_ORDERS = {b".snd": ">", b"dns.": "<"}
OPEN = 2**32 - 2**17  # AU: sizes from there on are none
PCM_TAGS = {1, 3, 6, 7}


@dataclass(frozen=True)
class Audio:
    """Where the audio of a file lies.

    Attributes:
      payload: position of the audio.
      size: in bytes, as the header states it.
      rate: Hz.
      block: bytes of a sample of all channels; 0 where it is coded otherwise.
      field: position of the size in the header.
      kind: of `struct` for the size.
      around: what the size counts besides the audio.
    """

    payload: int
    size: int
    rate: int
    block: int
    field: int
    kind: str
    around: int = 0


def inspect(reader: Reader, start: int, stop: int) -> Contents | None:
    """Find where the audio ends, whatever the header states; None for files of other kinds."""
    magic = reader.read(start, 16)
    if magic == W64_MARK:
        kind, audio = "W64", _w64(reader, start, stop)
    elif magic[:4] == b"caff":
        kind, audio = "CAF", _caf(reader, start, stop)
    elif magic[:4] in AU_ORDERS:
        kind, audio = "AU", _au(reader, start, AU_ORDERS[magic[:4]])
    else:
        return None
    if audio is None:
        return Contents(kind, cut="it ends before its audio begins")
    if not audio.rate or audio.payload > stop:
        return Contents(kind)  # the decoder names what is wrong
    return _contents(reader, start, stop, kind, audio)


def _contents(reader: Reader, start: int, stop: int, kind: str, audio: Audio) -> Contents:
    left = stop - audio.payload
    is_none = audio.size < 0 or (audio.size > left and audio.size >= (OPEN if kind == "AU" else 2**62))
    is_stale = not is_none and audio.size < left and not _ends(reader, audio, stop, kind)
    size = left if is_none or is_stale else min(audio.size, left)
    second = audio.rate * audio.block
    cut = None
    if not is_none and audio.block and audio.size - left > MARGIN_SECONDS * second:
        cut = f"its header states {clock(audio.size / second)}, the file holds {clock(left / second)}"
    elif not is_none and not audio.block and audio.size > left + 2**16:
        cut = f"it ends {audio.size - left:,} bytes before the end that its header states"
    pieces: tuple[Piece, ...] | None = None
    if start or is_none or is_stale or audio.size > left:
        head = bytearray(reader.read(start, audio.payload - start))
        stored = min(size + audio.around, 2 ** (8 * struct.calcsize(audio.kind) - 1) - 1)
        struct.pack_into(audio.kind, head, audio.field - start, stored)
        pieces = (bytes(head), (audio.payload, audio.payload + size))
    held = size // audio.block if audio.block else None
    stated = audio.size // audio.block if audio.block and not is_none else None
    return Contents(kind, audio.rate, held, True, stated=stated, pieces=pieces, cut=cut)


def _ends(reader: Reader, audio: Audio, stop: int, kind: str) -> bool:
    """Check that chunks, zeros or hardly anything follow the audio."""
    end = audio.payload + audio.size
    if stop - end <= REST_SECONDS * audio.rate * audio.block or reader.is_zero(end, stop):
        return audio.size > 0
    if kind == "AU":
        return False
    end = end + -end % 8 if kind == "W64" else end
    for _ in range(MOST_CHUNKS):
        if end >= stop:
            return True
        head = reader.read(end, 24)
        if kind == "W64":
            size = int.from_bytes(head[16:24], "little")
            if len(head) < 24 or size < 24:
                return False
            end += size + -size % 8
        else:
            size = int.from_bytes(head[4:12], "big")
            if len(head) < 12 or not all(32 <= byte < 127 for byte in head[:4]):
                return False
            end += 12 + size
        if end > stop + 8:
            return False
    return False


def _au(reader: Reader, start: int, order: str) -> Audio | None:
    head = reader.read(start + 4, 20)
    if len(head) < 20:
        return None
    offset, size, coding, rate, channels = struct.unpack(f"{order}5I", head)
    return Audio(start + offset, size, rate, AU_WIDTHS.get(coding, 0) * channels, start + 8, f"{order}I")


def _caf(reader: Reader, start: int, stop: int) -> Audio | None:
    position, rate, block = start + CAF_HEAD, 0, 0
    for _ in range(MOST_CHUNKS):
        head = reader.read(position, 12)
        if len(head) < 12:
            return None
        name, size = struct.unpack(">4sq", head)
        if name == b"desc":
            form = reader.read(position + 12, 32)
            if len(form) == 32:
                hertz, coding, _, block, _, _, _ = struct.unpack(">d4s5I", form)
                rate = round(hertz) if 0 < hertz < 2**31 else 0
                block = block if coding in (b"lpcm", b"alaw", b"ulaw") else 0
        if name == b"data":
            return Audio(position + 16, size - 4 if size >= 4 else -1, rate, block, position + 4, ">q", 4)
        if size < 0:
            return None
        position += 12 + size
    return None


def _w64(reader: Reader, start: int, stop: int) -> Audio | None:
    position, rate, block = start + W64_HEAD, 0, 0
    for _ in range(MOST_CHUNKS):
        head = reader.read(position, 24)
        if len(head) < 24:
            return None
        name, size = head[:4], int.from_bytes(head[16:24], "little")
        if name == b"fmt ":
            form = reader.read(position + 24, 16)
            if len(form) == 16:
                tag, _, rate, _, block, _ = struct.unpack("<HHIIHH", form)
                block = block if tag in PCM_TAGS else 0
        if name == b"data":
            return Audio(position + 24, max(0, size - 24), rate, block, position + 16, "<q", 24)
        if size < 24:
            return None
        position += size + -size % 8
    return None
