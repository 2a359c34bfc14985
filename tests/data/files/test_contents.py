"""What is decoded is held against what the bytes of a file hold, whatever surrounds them and whatever headers state."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.files.contents import inspect, is_something_else
from data.files.decode import Spool, Unusable, decode
from data.files.reading import MARGIN_SECONDS, REST_SECONDS, Reader, View
from tests.data.sounds import melody

RATE = 44100
SECONDS = 3.0
LINE = melody(SECONDS, RATE)
KINDS = {
    "wav": ("WAV", "PCM_16"),
    "wav24": ("WAV", "PCM_24"),
    "wavex": ("WAVEX", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}
SIZES = {  # position of the field behind a mark, and how it is stored
    "wav": (b"data", 4, "<I", 0),
    "wav24": (b"data", 4, "<I", 0),
    "wavex": (b"data", 4, "<I", 0),
    "aiff": (b"SSND", 4, ">I", 8),
    "au": (b".snd", 8, ">I", 0),
    "caf": (b"data", 4, ">q", 4),
    "w64": (b"data\xf3", 16, "<q", 24),
}
DELAY = {"mp3": 0.06, "opus": 0.03, "ogg": 0.03}  # s, that a lossy codec may add or drop


def stored(kind: str, line: np.ndarray = LINE, **options: object) -> bytes:
    form, coding = KINDS[kind]
    rate = 48000 if kind == "opus" else RATE
    if kind == "opus":
        line = melody(len(line) / RATE, rate)
    file = io.BytesIO()
    soundfile.write(file, line, rate, format=form, subtype=coding, **options)
    return file.getvalue()


def headless(frames: bytes) -> bytes:
    """MPEG frames without the first one, which states their number."""
    return frames[frames.index(b"\xff\xfb", 1) :]


def variable(seconds: float = SECONDS) -> bytes:
    """An MP3 file whose frames differ in size and whose header is missing."""
    line = melody(seconds, RATE)
    line[: RATE // 2] += 0.2 * np.random.default_rng(0).standard_normal(RATE // 2).astype(np.float32)
    return headless(stored("mp3", line, bitrate_mode="VARIABLE", compression_level=0.5))


def tag(size: int, footer: bool = False) -> bytes:
    """An ID3v2 tag of zeros."""
    length = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    return (
        b"ID3\4\0"
        + (b"\x10" if footer else b"\0")
        + length
        + bytes(size)
        + (b"3DI\4\0\x10" + length if footer else b"")
    )


def ape_tag(size: int) -> bytes:
    """An APE tag with its header and its footer."""
    fields = struct.pack("<II", 2000, size + 32) + struct.pack("<I", 0)
    return b"APETAGEX" + fields + b"\0\0\0\xa0" + bytes(8 + size) + b"APETAGEX" + fields + b"\0\0\0\x80" + bytes(8)


def seconds(path: Path, content: bytes) -> float:
    path.write_bytes(content)
    with Spool() as spool:
        source = decode(path, RATE, spool)
        assert spool.samples == pytest.approx(source.seconds * RATE, abs=2)
        return source.seconds


def reason(path: Path, content: bytes) -> str:
    with pytest.raises(Unusable) as caught:
        seconds(path, content)
    return caught.value.reason


def with_size(kind: str, whole: bytes, size: int) -> bytes:
    """A file whose header states that its audio has `size` bytes."""
    mark, offset, order, around = SIZES[kind]
    changed, at = bytearray(whole), whole.index(mark) + offset
    most = 2 ** (8 * struct.calcsize(order) - (order[1] == "q")) - 1
    changed[at : at + struct.calcsize(order)] = struct.pack(order, min(size + around if size else 0, most))
    return bytes(changed)


def audio_bytes(kind: str) -> int:
    return len(LINE) * (3 if kind == "wav24" else 2)


# MPEG: whatever lies in front of frames, between and behind them.


@pytest.mark.parametrize(
    "front",
    [
        tag(2000) + bytes(3000),
        tag(500) + tag(40, footer=True),
        bytes(4096),
        ape_tag(100),
        b"HTTP/1.0 200 OK\r\n\r\n" * 40,
        bytes(range(256)) * 300,
        tag(70_000) + bytes(200_000) + tag(10),
    ],
)
def test_an_mp3_without_a_header_is_read_whole_behind_anything(tmp_path, front):
    path = tmp_path / "line.mp3"
    behind = b"\0" * 777 + ape_tag(30) + b"TAG" + bytes(125)
    assert seconds(path, front + variable() + behind) == pytest.approx(SECONDS, abs=0.08)
    assert seconds(path, front + stored("mp3") + behind) == pytest.approx(SECONDS, abs=0.06)


def test_an_mp3_goes_on_behind_damage(tmp_path):
    whole = variable(6.0)
    third = len(whole) // 3
    damaged = whole[:third] + bytes(700) + whole[third:]
    assert seconds(tmp_path / "line.mp3", damaged) == pytest.approx(6.0, abs=0.1)
    holed = whole[: 2 * third] + bytes(300) + whole[2 * third + 300 :]
    assert seconds(tmp_path / "line.mp3", holed) == pytest.approx(6.0, abs=0.15)


def test_an_mp3_that_is_damaged_through_and_through_is_set_aside_with_both_lengths(tmp_path):
    whole = bytearray(stored("mp3", melody(6.0, RATE)))
    for at in range(len(whole) // 5, len(whole) - 3000, 1500):
        whole[at : at + 700] = bytes(700)
    assert "cannot be decoded" in reason(tmp_path / "line.mp3", bytes(whole))


def test_a_vbri_header_is_no_audio_and_its_file_is_read_whole(tmp_path):
    frames = variable()
    first = bytearray(stored("mp3"))[:417]
    first[2] = 0x90  # 128 kbit/s, no padding: 417 bytes
    first[4:] = bytes(413)
    first[36:54] = b"VBRI" + struct.pack(">HHHII", 1, 0, 75, len(frames), 115)
    assert seconds(tmp_path / "line.mp3", bytes(first) + frames) == pytest.approx(SECONDS, abs=0.08)


def test_a_cut_last_frame_costs_nothing_and_a_cut_minute_is_named(tmp_path):
    whole = stored("mp3", melody(20.0, RATE))
    assert seconds(tmp_path / "line.mp3", whole[:-100]) == pytest.approx(20.0, abs=0.05)
    assert "its header states 0:20, the file holds 0:10" in reason(tmp_path / "cut.mp3", whole[: len(whole) // 2])


# FLAC: frames against the header's count.


def flac_with(samples: int, whole: bytes) -> bytes:
    changed = bytearray(whole)
    changed[21] = changed[21] & 0xF0 | samples >> 32
    changed[22:26] = struct.pack(">I", samples & 0xFFFFFFFF)
    return bytes(changed)


@pytest.mark.parametrize("counted", [1, RATE, len(LINE) // 2])
def test_a_flac_whose_header_counts_too_few_samples_is_read_whole(tmp_path, counted):
    assert seconds(tmp_path / "line.flac", flac_with(counted, stored("flac"))) == SECONDS


def test_a_flac_behind_a_tag_is_read_whole_and_half_of_it_is_named(tmp_path):
    whole = stored("flac", melody(20.0, RATE))
    assert seconds(tmp_path / "line.flac", tag(2000) + whole) == 20.0
    found = reason(tmp_path / "cut.flac", tag(2000) + whole[: len(whole) // 2])
    assert "its header states 0:20, the file holds 0:1" in found


def test_a_flac_of_twenty_bits_is_named(tmp_path):
    whole = bytearray(stored("flac"))
    packed = int.from_bytes(whole[18:26], "big") & ~(31 << 36) | 19 << 36
    whole[18:26] = packed.to_bytes(8, "big")
    assert reason(tmp_path / "line.flac", bytes(whole)).startswith("is FLAC with samples of 20 bits")


# Ogg.


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_an_ogg_stream_without_its_last_flag_is_whole(tmp_path, kind):
    whole = bytearray(stored(kind))
    at = whole.rfind(b"OggS")
    whole = whole[:at]  # as a recorder leaves it that was stopped; the last page has less than a second
    assert seconds(tmp_path / f"line.{kind}", bytes(whole)) == pytest.approx(SECONDS, abs=1.0)
    assert seconds(tmp_path / f"line.{kind}", tag(99) + stored(kind)) == pytest.approx(SECONDS, abs=0.03)


def crc_of_page(page: bytes) -> int:
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = value << 1 ^ 0x104C11DB7 if value & 0x80000000 else value << 1
    return value


def flac_in_ogg(whole: bytes) -> bytes:
    """A FLAC stream, each of its blocks and its frames, of 4,096 samples here, a packet on a page of its own."""
    position, packets = 4, []
    while True:
        size = 4 + int.from_bytes(whole[position + 1 : position + 4], "big")
        packets.append(whole[position : position + size])
        is_last, position = whole[position] & 0x80, position + size
        if is_last:
            break
    packets[0] = b"\x7fFLAC\1\0" + struct.pack(">H", len(packets) - 1) + b"fLaC" + packets[0]
    blocks = len(packets)
    starts, frame = [position], whole[position : position + 4]
    while (at := whole.find(frame, starts[-1] + 1)) >= 0:
        starts.append(at)
    packets += [whole[first:last] for first, last in zip(starts, [*starts[1:], len(whole)], strict=True)]
    pages = []
    for number, packet in enumerate(packets):
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        samples = min(len(LINE), max(0, number - blocks + 1) * 4096)
        flags = (number == 0) * 2 + (number == len(packets) - 1) * 4
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, samples, 7, number, 0, len(lacing)) + lacing
        page = bytearray(head + packet)
        page[22:26] = struct.pack("<I", crc_of_page(bytes(page)))
        pages.append(bytes(page))
    return b"".join(pages)


def test_flac_in_ogg_is_read_whole(tmp_path):
    whole = stored("flac", LINE[: 30 * 4096])
    assert seconds(tmp_path / "line.oga", flac_in_ogg(whole)) == 30 * 4096 / RATE
    open_ended = flac_in_ogg(flac_with(0, whole))
    assert seconds(tmp_path / "line.oga", open_ended) == 30 * 4096 / RATE


# PCM: sizes that are stale, or that cannot be true.


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_header_that_was_never_brought_up_to_date_costs_nothing(tmp_path, kind, share):
    size = int(share * audio_bytes(kind)) // 6 * 6
    assert seconds(tmp_path / "line", with_size(kind, stored(kind), size)) == SECONDS


@pytest.mark.parametrize("kind", ["wav", "wav24", "wavex", "aiff"])
@pytest.mark.parametrize(
    "size", [0, 0x7F000000, 0x7FFFF000, 0x7FFFFF00, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF - 36, 0xFFFFFFF0, 0xFFFFFFFF]
)
def test_a_size_that_cannot_be_true_is_none(tmp_path, kind, size):
    assert seconds(tmp_path / "line", with_size(kind, stored(kind), size)) == SECONDS


@pytest.mark.parametrize(("kind", "size"), [("au", 2**32 - 1), ("au", 0), ("caf", 2**63 - 1), ("w64", 2**63 - 1)])
def test_an_open_size_is_none_in_other_containers(tmp_path, kind, size):
    assert seconds(tmp_path / "line", with_size(kind, stored(kind), size)) == SECONDS


@pytest.mark.parametrize("kind", SIZES)
def test_a_few_bytes_too_many_cost_nothing(tmp_path, kind):
    whole = with_size(kind, stored(kind), audio_bytes(kind) + 16)
    assert seconds(tmp_path / "line", whole) == pytest.approx(SECONDS, abs=0.01)


@pytest.mark.parametrize("kind", ["wav", "wav24", "wavex", "aiff", "rf64"])
@pytest.mark.parametrize(
    "behind", [b"LIST\x04\0\0\0INFO", b"id3 \x00\x00\x00\x00", bytes(60_000), b"TAG" + bytes(125), b"\0"]
)
def test_what_is_no_audio_behind_the_data_is_not_read(tmp_path, kind, behind):
    assert seconds(tmp_path / "line", stored(kind) + behind) == SECONDS


def test_two_wavs_one_behind_the_other_are_set_aside(tmp_path):
    assert "several recordings" in reason(tmp_path / "two.wav", stored("wav") * 2)


def test_a_size_that_wrapped_at_four_gigabytes_is_made_out(tmp_path):
    """Of a sparse file, whose length alone is large."""
    payload, path = 2**32 + 8 * RATE, tmp_path / "long.wav"
    head = stored("wav", LINE[:1])[:44]
    with path.open("wb") as file:
        file.write(with_size("wav", head, payload % 2**32))
        file.seek(44 + payload)
        file.write(b"LIST\x04\0\0\0INFO")
    with path.open("rb") as file:
        contents = inspect(Reader(file))
        assert contents.held == payload // 2
        with soundfile.SoundFile(View(file, contents.pieces)) as opened:
            assert opened.frames == payload // 2


def test_bw64_and_mpeg_in_wav_are_read(tmp_path):
    assert seconds(tmp_path / "line.wav", b"BW64" + stored("rf64")[4:]) == SECONDS
    form = struct.pack("<HHIIHHH", 0x55, 1, RATE, 16000, 1, 0, 0)
    frames = variable()
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(frames)) + frames
    whole = b"RIFF" + struct.pack("<I", len(body)) + body
    assert seconds(tmp_path / "line.wav", whole) == pytest.approx(SECONDS, abs=0.08)


# All of them, at random.


def tagged(kind: str, whole: bytes, draw: np.random.Generator) -> bytes:
    fronts = [tag(int(draw.integers(0, 5000))) for _ in range(draw.integers(0, 3))]
    padding = bytes(draw.integers(0, 3000)) if fronts else b""
    return b"".join(fronts) + padding + whole + (b"TAG" + bytes(125) if draw.random() < 0.5 else b"")


def padded(kind: str, whole: bytes, draw: np.random.Generator) -> bytes:
    return whole + bytes(draw.integers(1, 50_000))


def cut(kind: str, whole: bytes, draw: np.random.Generator) -> bytes:
    return whole[: int(draw.integers(len(whole) // 20, len(whole)))]


def stale(kind: str, whole: bytes, draw: np.random.Generator) -> bytes:
    if kind == "flac":
        return flac_with(int(draw.integers(1, len(LINE))), whole)
    if kind in SIZES:
        return with_size(kind, whole, int(draw.integers(1, audio_bytes(kind) // 12)) * 12)
    return whole


def holed(kind: str, whole: bytes, draw: np.random.Generator) -> bytes:
    at = int(draw.integers(len(whole) // 5, len(whole) - 500))
    return whole[:at] + draw.bytes(300) + whole[at + 300 :]


@pytest.mark.parametrize("change", [tagged, padded, cut, stale, holed])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_a_file_is_read_whole_or_named_whatever_was_done_to_it(
    tmp_path, kind: str, change: Callable[[str, bytes, np.random.Generator], bytes], seed: int
):
    draw = np.random.default_rng([seed, sorted(KINDS).index(kind)])
    content = change(kind, stored(kind), draw)
    delay = DELAY.get(kind, 0.0)
    if change in (tagged, padded, stale):
        found = seconds(tmp_path / f"line.{kind}", content)
        assert found == pytest.approx(SECONDS, abs=delay or (REST_SECONDS if change is stale else 1e-9))
        return
    try:
        found = seconds(tmp_path / f"line.{kind}", content)
    except Unusable as unusable:
        named = unusable.reason
    else:
        named = ""
        assert SECONDS - MARGIN_SECONDS - delay - 0.1 <= found <= SECONDS + delay
    assert not named or any(word in named for word in ("truncated", "damaged", "Ogg")), named


# What a file is.


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"\0\0\0\x1cftypM4A \0\0\0\0" + bytes(50), "a.mp3", "is MPEG-4, whatever its name says: convert it to wav"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0" + bytes(50), "a.m4a", "is MPEG-4: convert it to wav or flac"),
        (b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm" + b"..A_OPUS", "a.wav", "is WebM/Opus, whatever its name says: convert"),
        (b"#!AMR\n" + bytes(99), "a.amr", "is AMR: convert it to wav or flac"),
        (b"\xff\xf1\x50\x80" + bytes(99), "a.aac", "is AAC (ADTS): convert it to wav or flac"),
        (b"\x81\x07\x92\xfe" * 40, "a.wav", "is not audio of a kind that is known (its first bytes are 81 07 92 fe"),
    ],
)
def test_what_is_not_decoded_is_named_by_its_first_bytes(tmp_path, content, name, message):
    assert reason(tmp_path / name, content).startswith(message)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"notes\n",
        "भाई".encode(),
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"MThd",
        b"\xff\xfen\0o\0t\0e\0",
    ],
)
def test_what_is_known_to_be_something_else_is_no_sound(head):
    assert is_something_else(head)


@pytest.mark.parametrize("kind", KINDS)
def test_no_sound_is_taken_for_something_else(kind):
    assert not is_something_else(stored(kind)[:4096])
    assert not is_something_else(b"#!AMR\n<")
