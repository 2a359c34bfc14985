"""Finds out what a file is by its first bytes, and how much sound its bytes hold."""

from __future__ import annotations

import re
from pathlib import Path

from data.files import chunks, flac, large_chunks, mpeg, ogg
from data.files.reading import Contents, Reader

HEAD_BYTES = 4096  # that name a file
WAV, AIFF = (b"RIFF", b"RIFX", b"RF64", b"BW64"), (b"AIFF", b"AIFC")
MOST_TAGS = 100  # in front of the audio

# What libsndfile decodes beside those that are counted here, by a pattern of their first bytes.
PLAIN = (
    (rb"FORM....(8SVX|16SV)", "8SVX"),
    (rb"Creative Voice File\x1a", "VOC"),
    (rb"NIST_1A\n", "NIST Sphere"),
    (rb"2BIT", "AVR"),
    (rb"(\x64\xa3[\x01-\x04]\x00|\x00[\x01-\x04]\xa3\x64)", "IRCAM"),
    (rb"( paf|fap )", "PAF"),
    (rb"PVF1\n", "PVF"),
    (rb"ALawSoundFile\*\*", "WVE"),
    (rb"Extended Instrument: ", "XI"),
    (rb"\xf0\x7e.\x01", "SDS"),
)
# Sound that is not decoded, with the endings that its files have.
UNREAD = (
    (rb"....ftyp(3gp|3g2)", "3GPP", ("3gp", "3g2")),
    (rb"....(ftyp|moov|mdat|wide|free)", "MPEG-4", ("m4a", "mp4", "m4b", "mov", "aac", "alac", "qt")),
    (rb"#!AMR", "AMR", ("amr", "awb", "3gp")),
    (rb"\xff[\xf0\xf1\xf8\xf9][\x40-\x7f\x80-\xbf\x00-\x3f]", "AAC (ADTS)", ("aac",)),
    (rb"ADIF", "AAC (ADIF)", ("aac",)),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (ASF)", ("wma", "wmv", "asf")),
    (rb"MAC ", "Monkey's Audio", ("ape", "mac")),
    (rb"wvpk", "WavPack", ("wv",)),
    (rb"TTA[12]", "True Audio", ("tta",)),
    (rb"MPCK|MP\+", "Musepack", ("mpc", "mp+")),
    (rb"OFR ", "OptimFROG", ("ofr",)),
    (rb"DSD |FRM8", "DSD", ("dsf", "dff")),
    (rb"\x0b\x77", "AC-3", ("ac3", "eac3")),
    (rb"\x7f\xfe\x80\x01", "DTS", ("dts",)),
    (rb"\.RMF|\.ra\xfd", "RealAudio", ("rm", "ra")),
    (rb"FLV\x01", "Flash video", ("flv",)),
    (rb"RIFF....AVI ", "AVI video", ("avi",)),
    (rb"ajkg", "Shorten", ("shn",)),
    (rb"caff.{200,}?alac", "CAF with ALAC", ("caf",)),
)
MATROSKA = b"\x1a\x45\xdf\xa3"
MATROSKA_CODECS = {b"A_OPUS": "Opus", b"A_VORBIS": "Vorbis", b"A_AAC": "AAC", b"A_PCM": "PCM", b"A_FLAC": "FLAC"}
# What is no sound: pictures, documents, archives, programs, notes.
OTHER = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|BM....\0\0\0\0|II\*\0|MM\0\*|RIFF....WEBP|8BPS|%PDF|%!PS|\{\\rtf|PK(\x03\x04|\x05\x06|\x07\x08)"
    rb"|\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd|\x7fELF|MZ|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe"
    rb"|SQLite format 3|MThd|\xd0\xcf\x11\xe0|\0\0\0\x01Bud1|\x89HDF|MATLAB 5\.0|\x93NUMPY|bplist|wOF[F2]|\0\x01\0\0\0",
    re.DOTALL,
)
CONVERT = "convert it to wav or flac"


def inspect(reader: Reader, name: str = "") -> Contents:
    """Find out what a file is and how much sound it holds.

    Args:
      reader: of the file.
      name: of the file: what it is not, whatever its ending, is stated.

    Returns:
      What was found; its `unread` is set where the file is of a kind that is not decoded.
    """
    start, stop = _front(reader), reader.size
    head = reader.read(start, HEAD_BYTES)
    magic, form = head[:4], head[8:12]
    if (magic in WAV and form == b"WAVE") or (magic == b"FORM" and form in AIFF):
        return chunks.inspect(reader, start, stop)
    if magic == b"fLaC":
        return flac.inspect(reader, start, stop)
    if magic == b"OggS":
        return ogg.inspect(reader, start, stop)
    found = large_chunks.inspect(reader, start, stop)
    if found is not None:
        return found
    plain = next((name for pattern, name in PLAIN if re.match(pattern, head, re.DOTALL)), None)
    if plain:
        return Contents(plain)
    kind, endings = _unread(head)
    if kind is None:
        return mpeg.inspect(reader, 0, stop) or _unknown(head)
    misnamed = "" if Path(name).suffix[1:].lower() in endings else ", whatever its name says"
    return Contents(kind, unread=f"is {kind}{misnamed}: {CONVERT}")


def is_something_else(head: bytes) -> bool:
    """Check by its first bytes that a file is no sound: a picture, a document, an archive, a program, text or nothing.

    Args:
      head: the first `HEAD_BYTES` of the file.
    """
    return bool(OTHER.match(head)) or _is_text(head)


def _is_text(head: bytes) -> bool:
    """Check for characters alone, in any of the codings that text has; a sound of which the mark is text is none."""
    if any(re.match(pattern, head, re.DOTALL) for pattern, _ in PLAIN) or _unread(head)[0]:
        return False
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and len(head) > 2:
        return head[2:].count(0) > len(head) // 4
    if any(byte < 32 and byte not in b"\t\n\v\f\r\x1b" for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and len(head) == HEAD_BYTES
    return True


def _front(reader: Reader) -> int:
    """Find where a file begins behind tags and zeros; 0 where nothing that is known follows them."""
    position = 0
    for _ in range(MOST_TAGS):
        head = reader.read(position, 32)
        length = mpeg.tag_length(head, reader.size - position)
        zeros = len(head) - len(head.lstrip(b"\0"))
        if length:
            position += length
        elif position and zeros:
            position += zeros if zeros < len(head) else _zeros(reader, position)
        else:
            break
        if position >= reader.size:
            return 0
    return position


def _zeros(reader: Reader, start: int) -> int:
    """Count the zeros from a position on."""
    for first, last in reader.blocks(start, reader.size, 0):
        block = reader.read(first, last - first)
        left = len(block.lstrip(b"\0"))
        if left:
            return first + len(block) - left - start
    return reader.size - start


def _unread(head: bytes) -> tuple[str | None, tuple[str, ...]]:
    """Name a sound that is not decoded, and the endings that its files have."""
    if head[:4] == MATROSKA:
        container = "WebM" if b"webm" in head[:64] else "Matroska"
        codec = next((name for mark, name in MATROSKA_CODECS.items() if mark in head), None)
        return (f"{container}/{codec}" if codec else container), ("webm", "mka", "mkv", "weba")
    for pattern, kind, endings in UNREAD:
        if re.match(pattern, head, re.DOTALL):
            return kind, endings
    return None, ()


def _unknown(head: bytes) -> Contents:
    if is_something_else(head):
        return Contents("", unread="is not audio that can be read")
    first = " ".join(f"{byte:02x}" for byte in head[:8])
    return Contents("", unread=f"is not audio of a kind that is known (its first bytes are {first}): {CONVERT}")
