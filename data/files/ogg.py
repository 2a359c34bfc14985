"""Ogg (RFC 3533): pages are counted by the positions that they state; FLAC is taken out of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from common.progress import clock
from data.files import flac
from data.files.reading import MARGIN_SECONDS, Contents, Piece, Reader

FIRST_PAGE = 0x02  # flag of a page that begins a logical stream
HEADER = 27
CODECS = {b"\x01vorbis": "Vorbis", b"OpusHead": "Opus", b"\x7fFLAC": "FLAC", b"Speex   ": "Speex"}
FLAC_HEADER = 9  # bytes in front of the native stream, in the first packet
OPUS_RATE, OPUS_LONGEST = 48_000, 5_760  # Hz, of the positions of every Opus stream; samples of a packet at most
LARGEST_REST = 200  # bytes behind the last page that may be a tag


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
      start: position of its body.
      stop: position behind it.
      flags: of its header.
      position: samples of the stream up to its end; None where it states none.
      serial: number of its stream.
      packets: that end on it.
    """

    start: int
    stop: int
    flags: int
    position: int | None
    serial: int
    packets: int


def pages(reader: Reader, start: int, stop: int) -> Iterator[Page]:
    """Yield whole pages; what lies between them is passed over."""
    position = start
    while position + HEADER <= stop:
        header = reader.read(position, HEADER)
        if header[:5] != b"OggS\0":
            position = reader.find(b"OggS\0", position + 1, stop)
            if position < 0:
                return
            continue
        segments = reader.read(position + HEADER, header[26])
        body = position + HEADER + header[26]
        if body + sum(segments) > stop:
            return
        granule = int.from_bytes(header[6:14], "little")
        serial = int.from_bytes(header[14:18], "little")
        stated = None if granule >= 2**63 else granule
        packets = len(segments) - segments.count(255)
        yield Page(body, body + sum(segments), header[5], stated, serial, packets)
        position = body + sum(segments)


def inspect(reader: Reader, start: int, stop: int) -> Contents:
    """Check that a stream ends with a whole page, that no other follows, and what kind of sound it holds."""
    first = next(pages(reader, start, stop), None)
    if first is None:
        return Contents("Ogg", cut="it ends within a page")
    packet = reader.read(first.start, min(first.stop - first.start, 64))
    codec = next((name for mark, name in CODECS.items() if packet.startswith(mark)), None)
    if codec in (None, "Speex"):
        what = "is Ogg Speex" if codec else "is Ogg without Vorbis, Opus or FLAC in its first stream"
        return Contents("Ogg", unread=f"{what}: convert it to wav or flac")
    found = _ends(reader, start, stop, first.serial)
    joined = None if found.another is None else f"another stream begins at byte {found.another:,}"
    if codec == "FLAC":
        return _flac(reader, start, stop, packet, joined)
    cut = damaged = None
    if _is_cut(reader, found.stop, stop):
        cut = "it ends within a page"
    elif reader.without_zeros(found.stop, stop) - found.stop > LARGEST_REST:
        damaged = "its last page cannot be decoded"
    whole = None if start == 0 else ((start, stop),)
    rate, longest = _rate_and_longest_packet(packet)
    held = None
    if rate and found.first is not None:
        begins_at_0 = found.first <= found.packets * longest  # a stream that was cut out of another begins anywhere
        held = found.last if begins_at_0 else max(0, found.last - found.first)
    return Contents(f"Ogg {codec}", rate or None, held, pieces=whole, cut=cut, joined=joined, damaged=damaged)


def _rate_and_longest_packet(packet: bytes) -> tuple[int, int]:
    """Read the rate of a stream's positions in Hz, and the samples that a packet of it has at most."""
    if packet.startswith(b"OpusHead"):
        return OPUS_RATE, OPUS_LONGEST
    if len(packet) < 29:
        return 0, 0
    return int.from_bytes(packet[12:16], "little"), 1 << (packet[28] >> 4)


@dataclass
class _Ends:
    """Where a stream begins and ends.

    Attributes:
      stop: position behind its last whole page.
      another: position of a stream that begins behind its audio.
      first: samples up to the end of its first page of audio.
      packets: that end on this page, or on those before it.
      last: samples up to the end of its last one.
    """

    stop: int
    another: int | None = None
    first: int | None = None
    packets: int = 0
    last: int = 0


def _ends(reader: Reader, start: int, stop: int, serial: int) -> _Ends:
    found, audio = _Ends(start), False
    for page in pages(reader, start, stop):
        is_first = bool(page.flags & FIRST_PAGE)
        if audio and is_first and found.another is None:
            found.another = page.start
        audio, found.stop = audio or not is_first, page.stop
        if page.serial != serial or found.another is not None:
            continue
        found.packets += page.packets if found.first is None else 0
        if page.position:
            found.first, found.last = found.first or page.position, page.position
    return found


def _is_cut(reader: Reader, last: int, stop: int) -> bool:
    """Check whether a page begins behind the last whole one."""
    behind = reader.read(last, min(stop - last, 4))
    return bool(behind) and b"OggS".startswith(behind)


def _flac(reader: Reader, start: int, stop: int, packet: bytes, joined: str | None) -> Contents:
    """Take a native stream out of its pages."""
    bodies: list[Piece] = []
    position: int | None = None
    for page in pages(reader, start, stop):
        body = (page.start + (0 if bodies else FLAC_HEADER), page.stop)
        bodies.append(body)
        position = page.position if page.position is not None else position
    head = packet[FLAC_HEADER:]
    if head[:4] != b"fLaC" or len(head) < flac.STREAMINFO_END:
        return Contents("Ogg FLAC")
    info = flac.stream_info(head[8:])
    if info.bits not in flac.DEPTHS:
        what = f"is Ogg FLAC with samples of {info.bits} bits, which is not decoded: convert it to flac of 24 bits"
        return Contents("Ogg FLAC", unread=what)
    stated, cut = info.samples or None, None
    if stated and position and info.rate and position < stated - MARGIN_SECONDS * info.rate:
        cut = f"its header states {clock(stated / info.rate)}, the file holds {clock(position / info.rate)}"
    if position and (stated is None or position > stated):
        first = bodies[0]
        assert not isinstance(first, bytes)
        bodies[0] = flac.with_samples(reader.read(*_extent(first)), position)
    return Contents("Ogg FLAC", info.rate, position or None, False, stated, tuple(bodies), cut, joined)


def _extent(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], span[1] - span[0]
