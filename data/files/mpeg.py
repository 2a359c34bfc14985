"""MPEG audio, layers II and III (ISO 11172-3, 13818-3): frames are counted, and what lies between them is left out.

A decoder is given frames only, with a header of ours in front that states their number, wherever there is anything
else among them or nothing states it: it would stop early, since it guesses the length from the first frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from common.progress import clock
from data.files.reading import MARGIN_SECONDS, Contents, Piece, Reader, Span

MOST_FRAMES = 2_000_000  # eleven hours; what is longer is refused for that
UNCOUNTED = 10  # frames, a quarter of a second, that encoders forget to count
MOST_DAMAGED = 0.05  # of a file's bytes; what is left of others is not a recording any more
FIRST_RUN, LATER_RUN = 4, 2  # frames in a row that are no coincidence, at the beginning and behind damage
SHARED_BITS = 0xFFFE0C00  # of a header: sync, version, layer and rate are those of the whole stream
FRONT_BYTES = 2**22  # of junk at most before the first frame
HEADER = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][\x10-\xeb][\x00-\xff]", re.DOTALL)

BITRATES = {  # kbit/s, by version (1, or 2 and 2.5) and layer, then by index
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz, by version bits and index


@dataclass(frozen=True)
class Frame:
    """The header of a frame.

    Attributes:
      length: of the frame, in bytes.
      samples: of each channel.
      rate: Hz.
      layer: 2 or 3.
      is_mono: it has one channel.
      bitrate: its index.
      shared: what all frames of one stream have in common.
    """

    length: int
    samples: int
    rate: int
    layer: int
    is_mono: bool
    bitrate: int
    shared: tuple[int, bool]


_CACHE: dict[bytes, Frame | None] = {}


def frame_of(header: bytes) -> Frame | None:
    """Parse the four bytes that a frame begins with; None where they begin none."""
    found = _CACHE.get(header, False)
    if found is False:
        if len(_CACHE) > 4096:  # of a file that is nothing but headers
            _CACHE.clear()
        found = _CACHE[header] = _parse(header)
    return found  # type: ignore[return-value]


def _parse(header: bytes) -> Frame | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer, bitrate, rate = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3), header[2] >> 4, header[2] >> 2 & 3
    if version not in RATES or layer not in (2, 3) or bitrate in (0, 15) or rate == 3:
        return None
    hertz = RATES[version][rate]
    samples = 576 if layer == 3 and version != 3 else 1152
    kilobits = BITRATES[1 if version == 3 else 2, layer][bitrate]
    length = samples // 8 * kilobits * 1000 // hertz + (header[2] >> 1 & 1)
    is_mono = header[3] >> 6 == 3
    shared = int.from_bytes(header, "big") & SHARED_BITS
    return Frame(length, samples, hertz, layer, is_mono, bitrate, (shared, is_mono))


def tag_length(head: bytes, left: int) -> int:
    """Return the length of a tag that begins with `head`: ID3v2 with its footer, ID3v1, APE; 0 for none."""
    if head[:3] == b"ID3" and len(head) >= 10 and not (head[6] | head[7] | head[8] | head[9]) & 0x80:
        return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (10 if head[5] & 0x10 else 0)
    if head[:8] == b"APETAGEX" and len(head) >= 24:
        has_header_behind = int.from_bytes(head[20:24], "little") & 0x20000000
        return 32 + (int.from_bytes(head[12:16], "little") if has_header_behind else 0)
    if head[:3] == b"TAG" and left == 128:
        return 128
    return 0


@dataclass
class _Walk:
    """The frames of a stream, in spans without anything between."""

    first: Frame | None = None
    spans: list[Span] = field(default_factory=list)
    frames: int = 0
    audio_bytes: int = 0
    is_uniform: bool = True  # all frames have one bitrate
    lost_bytes: int = 0
    info: int | None = None  # position of a header frame: Xing, Info or VBRI
    promised: int | None = None
    foreign_header: bool = False  # VBRI, which no decoder of ours reads
    another: int | None = None  # position of a second header frame
    is_cut: bool = False


def inspect(reader: Reader, start: int, stop: int) -> Contents | None:
    """Count the frames between two positions.

    Args:
      reader: of the file.
      start: position of the first byte.
      stop: position behind the last one.

    Returns:
      What was found; None where there are no frames.
    """
    walk = _walk(reader, start, stop)
    if walk.first is None or not walk.frames:
        if not walk.is_cut and walk.info is None:
            return None
        return Contents("MP3", cut="it ends before its audio begins")
    return _contents(reader, walk, stop)


def _walk(reader: Reader, start: int, stop: int) -> _Walk:
    walk, position, end_of_last, tags = _Walk(), start, start, 0
    while position + 4 <= stop and walk.frames < MOST_FRAMES:
        frame = frame_of(reader.read(position, 4))
        follows = bool(walk.spans) and walk.spans[-1][1] == position
        if (
            frame is None
            or (walk.first and frame.shared != walk.first.shared)
            or (not follows and not _runs(reader, position, stop, frame, LATER_RUN if walk.first else FIRST_RUN))
        ):
            length = tag_length(reader.read(position, 32), stop - position)
            if length:
                tags, position = tags + min(length, stop - position), position + length
                continue
            following = _next(reader, position + 1, stop, walk.first, start)
            if following is None:
                break
            position = following
            continue
        if position + frame.length > stop:
            walk.is_cut = True
            break
        if walk.first is None:
            walk.first = frame
        elif not follows:
            walk.lost_bytes += max(0, position - end_of_last - tags)
        _add(reader, walk, frame, position, follows)
        position += frame.length
        end_of_last, tags = position, 0
    return walk


def _add(reader: Reader, walk: _Walk, frame: Frame, position: int, follows: bool) -> None:
    """Add a whole frame: it holds audio, or states the number of those that follow."""
    may_be_header = walk.info is None if not walk.frames else walk.frames == walk.promised
    if may_be_header:
        promised, is_foreign = _promise(reader.read(position, min(frame.length, 200)))
        if promised is not None and walk.info is None:
            walk.info, walk.promised, walk.foreign_header = position, promised, is_foreign
            walk.spans.append((position, position + frame.length))
            return
        if promised is not None:
            walk.another = position
    walk.frames += 1
    walk.audio_bytes += frame.length
    walk.is_uniform = walk.is_uniform and walk.first is not None and frame.bitrate == walk.first.bitrate
    if follows:
        walk.spans[-1] = (walk.spans[-1][0], position + frame.length)
    else:
        walk.spans.append((position, position + frame.length))


def _runs(reader: Reader, position: int, stop: int, frame: Frame, count: int) -> bool:
    """Check that frames of one stream follow each other, up to a tag or the end of the file."""
    first = frame
    for _ in range(count - 1):
        position += frame.length
        head = reader.read(position, 32)
        if position + 4 > stop or tag_length(head, stop - position):
            return True
        following = frame_of(head[:4])
        if following is None or following.shared != first.shared:
            return False
        frame = following
    return True


def _next(reader: Reader, start: int, stop: int, first: Frame | None, front: int) -> int | None:
    """Find where frames begin again: the position of a header that others follow."""
    limit = stop if first else min(stop, front + FRONT_BYTES)
    for begin, end in reader.blocks(start, limit, 3):
        window = reader.read(begin, end - begin)
        for match in HEADER.finditer(window):
            frame, position = frame_of(match.group()), begin + match.start()
            if frame is None or (first and frame.shared != first.shared):
                continue
            if _runs(reader, position, stop, frame, LATER_RUN if first else FIRST_RUN):
                return position
    return None


def _promise(frame: bytes) -> tuple[int | None, bool]:
    """Read the number of audio frames that a Xing, Info or VBRI header announces, and whether it is a VBRI header."""
    for tag in (b"Xing", b"Info"):
        at = frame.find(tag, 4, 60)
        if at >= 0 and len(frame) >= at + 12 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big"), False
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return int.from_bytes(frame[50:54], "big"), True
    return None, False


def _contents(reader: Reader, walk: _Walk, stop: int) -> Contents:
    frame = walk.first
    assert frame is not None
    stated = None if walk.promised is None else walk.promised * frame.samples
    held = walk.frames * frame.samples
    margin = MARGIN_SECONDS * frame.rate
    lost = held * walk.lost_bytes / walk.audio_bytes
    cut = joined = damaged = None
    if walk.lost_bytes > MOST_DAMAGED * walk.audio_bytes:
        damaged = f"{clock(lost / frame.rate)} of its {clock((held + lost) / frame.rate)} cannot be decoded"
    elif stated is not None and held + lost < stated - margin:
        cut = f"its header states {clock(stated / frame.rate)}, the file holds {clock(held / frame.rate)}"
    is_short = walk.promised is not None and walk.frames > 1.01 * walk.promised + UNCOUNTED
    if is_short and walk.another is not None:
        joined = f"{walk.frames:,} frames, where its header announces {walk.promised:,}"
    # A stream of one bitrate is left without a header: its length is guessed well, and a decoder that is given one
    # drops what the filters add at the beginning, so that the audio would not be the same as before.
    is_headed = walk.promised is not None and not walk.foreign_header and not is_short
    pieces: tuple[Piece, ...] | None = tuple(walk.spans)
    if not is_headed and not (walk.is_uniform and walk.promised is None):
        pieces = _with_header(reader, walk)
    elif len(walk.spans) == 1 and walk.spans[0][0] == 0 and not walk.is_cut:
        pieces = None
    kind = "MP3" if frame.layer == 3 else "MPEG audio layer II"
    return Contents(kind, frame.rate, held, False, stated, pieces, cut, joined, damaged)


def _with_header(reader: Reader, walk: _Walk) -> tuple[Piece, ...]:
    """Put a header in front of the frames that states how many there are, instead of one that may be there."""
    assert walk.first is not None
    spans: list[Piece] = [span for span in walk.spans if span[1] > span[0]]
    if walk.info is not None:
        start, stop = walk.spans[0]
        header = reader.read(walk.info, 4)
        parsed = frame_of(header)
        assert parsed is not None
        spans[0] = (start + parsed.length, stop)
    else:
        header = reader.read(walk.spans[0][0], 4)
    if walk.first.layer != 3:
        return tuple(spans)
    return (xing_frame(header, walk.frames), *spans)


def xing_frame(header: bytes, frames: int) -> bytes:
    """Make a frame of layer III that holds no audio but states the number of frames behind it.

    Args:
      header: four bytes of a frame of the stream.
      frames: their number.
    """
    is_first_version = header[1] >> 3 & 3 == 3
    bitrate = 5 if is_first_version else 8  # 64 kbit/s: room enough at every rate
    head = bytes((0xFF, header[1] | 1, bitrate << 4 | header[2] & 0x0C, header[3]))
    parsed = frame_of(head)
    assert parsed is not None
    side = (17 if parsed.is_mono else 32) if is_first_version else (9 if parsed.is_mono else 17)
    tag = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (head + bytes(side) + tag).ljust(parsed.length, b"\0")
