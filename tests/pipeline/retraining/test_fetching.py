"""Recordings come from the archives that a list names, whole and unchanged, or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import random
import socket
import struct
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.errors import UserError
from pipeline import command
from pipeline.retraining import fetching
from pipeline.retraining.fetching import Archive, fetch, parser, read_list


def tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return path


def archive(path: Path, span: str = "span-1", sha256: str | None = None) -> Archive:
    digest = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    return Archive(digest, "violin", span, path.as_uri())


def test_an_archive_becomes_a_span_once(tmp_path: Path):
    one = archive(tar(tmp_path / "a.tar.gz", {"evening/a.wav": b"sound"}))
    assert fetch([one], tmp_path / "in") == ["violin/span-1"]
    assert (tmp_path / "in" / "violin" / "span-1" / "evening" / "a.wav").read_bytes() == b"sound"
    (tmp_path / "a.tar.gz").unlink()
    assert fetch([one], tmp_path / "in") == []


def test_a_span_whose_archive_changed_is_replaced_and_other_spans_stay(tmp_path: Path):
    own = tmp_path / "in" / "violin" / "span-7" / "own.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"own")
    fetch([archive(tar(tmp_path / "a.tar.gz", {"a.wav": b"sound"}))], tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("b.wav", b"mended")
    assert fetch([archive(tmp_path / "b.zip")], tmp_path / "in") == ["violin/span-1"]
    span = tmp_path / "in" / "violin" / "span-1"
    assert sorted(path.name for path in span.iterdir()) == [".sha256", "b.wav"]
    assert own.read_bytes() == b"own"


def test_recordings_that_someone_put_there_are_not_replaced(tmp_path: Path):
    own = tmp_path / "in" / "violin" / "span-1" / "own.wav"
    own.parent.mkdir(parents=True)
    one = archive(tar(tmp_path / "a.tar.gz", {"a.wav": b"sound"}))
    own.write_bytes(b"own")
    with pytest.raises(UserError, match=r"violin/span-1: what lies there was not fetched: move it away"):
        fetch([one], tmp_path / "in")
    assert own.read_bytes() == b"own"
    own.unlink()  # an empty folder is nobody's
    assert fetch([one], tmp_path / "in") == ["violin/span-1"]


def test_a_damaged_mark_only_means_that_the_span_is_fetched_again(tmp_path: Path):
    one = archive(tar(tmp_path / "a.tar.gz", {"a.wav": b"sound"}))
    fetch([one], tmp_path / "in")
    (tmp_path / "in" / "violin" / "span-1" / ".sha256").write_bytes(b"\xff")
    assert fetch([one], tmp_path / "in") == ["violin/span-1"]


@pytest.mark.parametrize("kind", ["another", "no archive", "cut short", "escapes", "absent"])
def test_a_bad_archive_is_one_clear_error_and_what_was_there_stays(tmp_path: Path, kind: str):
    span = tmp_path / "in" / "violin" / "span-1"
    fetch([archive(tar(tmp_path / "good.tar.gz", {"a.wav": b"sound"}))], tmp_path / "in")
    bad = tar(tmp_path / "bad.tar.gz", {"../../out.wav" if kind == "escapes" else "b.wav": bytes(100_000)})
    if kind == "no archive":
        bad.write_bytes(b"<html>sign in</html>")
    if kind == "cut short":
        bad.write_bytes(bad.read_bytes()[:-20])
    one = archive(bad, sha256="0" * 64 if kind == "another" else None)
    if kind == "absent":
        bad.unlink()
    with pytest.raises(UserError, match=r"bad\.tar\.gz: (has the SHA-256|cannot be)"):
        fetch([one], tmp_path / "in")
    assert (span / "a.wav").read_bytes() == b"sound"
    assert [path.name for path in span.parent.iterdir()] == ["span-1"]
    assert not list(tmp_path.rglob("out.wav"))


def _linked_to_nothing(path: Path) -> None:
    with tarfile.open(path, "w") as packed:
        entry = tarfile.TarInfo("a.wav")
        entry.type, entry.linkname = tarfile.LNKTYPE, "nothere"
        packed.addfile(entry)


def _two_of_one_name(path: Path) -> None:
    """A file, and a folder where it lies."""
    with tarfile.open(path, "w") as packed:
        for name in ("a", "a/b.wav"):
            packed.addfile(tarfile.TarInfo(name))


def _damaged_tar(kind: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        words = random.Random(0).choices((b"to", b"be", b"or", b"not"), k=300_000)
        content = b"".join(words)  # which is packed, not stored
        with tarfile.open(path, f"w:{kind}") as packed:  # type: ignore[call-overload]
            entry = tarfile.TarInfo("a.wav")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
        _scratched(path, 0.5)

    return make


def _damaged_zip(compression: int, share: float) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", compression) as packed:
            packed.writestr("a.wav", random.Random(0).randbytes(3000) * 100)
        _scratched(path, share)

    return make


def _scratched(path: Path, share: float) -> None:
    """Damages 40 bytes at a share of the file's length."""
    content = bytearray(path.read_bytes())
    at = int(share * len(content))
    content[at : at + 40] = bytes(255 - byte for byte in content[at : at + 40])
    path.write_bytes(content)


def _sent_elsewhere(path: Path) -> None:
    """A zip whose list of contents begins, by its offset, before the file does."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.wav", b"sound")
    content = bytearray(path.read_bytes())
    content[-6:-2] = struct.pack("<I", struct.unpack("<I", content[-6:-2])[0] + 20)
    path.write_bytes(content)


def _later_than_any_date(path: Path) -> None:
    with tarfile.open(path, "w") as packed:
        entry = tarfile.TarInfo("a.wav")
        entry.pax_headers = {"mtime": "1e300"}
        packed.addfile(entry)


BROKEN = {
    "a link to nothing": _linked_to_nothing,
    "a file where a folder is": _two_of_one_name,
    "gz": _damaged_tar("gz"),
    "bz2": _damaged_tar("bz2"),
    "xz": _damaged_tar("xz"),
    "zip, deflated": _damaged_zip(zipfile.ZIP_DEFLATED, 0.5),
    "zip, bzip2": _damaged_zip(zipfile.ZIP_BZIP2, 0.5),
    "zip, lzma": _damaged_zip(zipfile.ZIP_LZMA, 0.5),
    "zip, its list": _damaged_zip(zipfile.ZIP_STORED, 1 - 60 / 300_117),
    "zip, sent elsewhere": _sent_elsewhere,
    "a date": _later_than_any_date,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_archive_that_cannot_be_unpacked_is_one_clear_line_and_leaves_nothing_behind(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
):
    bad = tmp_path / "bad"
    BROKEN[kind](bad)
    (tmp_path / "list").write_text(f"{hashlib.sha256(bad.read_bytes()).hexdigest()} violin/span-1 {bad.as_uri()}\n")
    arguments = ["--list", str(tmp_path / "list"), "--recordings", str(tmp_path / "in")]
    assert command.main(parser(), arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: file://{bad}: cannot be unpacked as tar or zip: ")
    assert line.endswith(": pack it anew")
    assert not list((tmp_path / "in" / "violin").iterdir())


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize(("bound", "value", "what"), [("MOST_FILES", 2, "2 files"), ("MOST_BYTES", 10**6, "0.001 GB")])
def test_an_archive_of_files_or_bytes_without_end_is_refused_before_they_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, bound: str, value: int, what: str
):
    files = {f"{number}.wav": bytes(500_000) for number in range(3)}  # a few hundred bytes, packed
    packed = tmp_path / "packed"
    if kind == "tar":
        tar(packed, files)
    else:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, stored in files.items():
                zipped.writestr(name, stored)
    assert packed.stat().st_size < 10_000
    monkeypatch.setattr(fetching, bound, value)
    with pytest.raises(UserError, match=rf"packed: holds more than {what}: divide it into several spans"):
        fetch([archive(packed)], tmp_path / "in")
    assert not list((tmp_path / "in" / "violin").iterdir())


def test_a_download_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    large = tmp_path / "large"
    large.write_bytes(bytes(3 << 20))
    monkeypatch.setattr(fetching, "MOST_BYTES", 1 << 20)
    with pytest.raises(UserError, match="large: holds more than"):
        fetch([archive(large)], tmp_path / "in")
    assert not list((tmp_path / "in" / "violin").iterdir())


def test_a_disk_that_fills_up_is_not_the_archives_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extract", full)
    one = archive(tar(tmp_path / "a.tar.gz", {"a.wav": b"sound"}))
    with pytest.raises(UserError, match=r"violin/span-1: cannot be written: No space left on device$"):
        fetch([one], tmp_path / "in")
    assert not list((tmp_path / "in" / "violin").iterdir())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "names no recordings yet"),
        ("abc violin/span-1 https://host/a.tar", "'abc' is not a SHA-256"),
        (f"{'0' * 64} kazoo/span-1 https://host/a.tar", "no instrument 'kazoo'; known: bansuri"),
        (f"{'0' * 64} violin/../x https://host/a.tar", "'violin/../x' must be NAME/span-N"),
        (f"{'0' * 64} violin/span-1 ftp://me:word@host/a.tar?key=s3cret", "'ftp://host/a.tar' is not a URL"),
        (f"{'0' * 64} violin/span-1", "must look like"),
        (f"{'0' * 64} violin/span-1 https://host/a.tar\n" * 2, "violin/span-1 is named twice"),
        (f"{'0' * 64} violin/span-1 http://[x/s3cret.tar", "the URL of violin/span-1 is not one"),
        (f"{'0' * 64} violin/span-1 http://me:s3cret@host:x/a.tar", "the URL of violin/span-1 is not one"),
        (f"{'0' * 64} violin/span-1 http://host/\u00e9.tar?s3cret", "percent-encode what is not ASCII"),
        (f"{'0' * 64} violin/span-1 http://host/\x01.tar?s3cret", "the URL of violin/span-1 is not one"),
        (
            f"{'0' * 64} violin/span-1 https://host/a.tar\n{'0' * 64} violin/span-01 https://host/a.tar",
            "violin/span-1 and violin/span-01 are one span",
        ),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(tmp_path: Path, line: str, message: str):
    (tmp_path / "list.txt").write_text(f"# spans\n{line}\n")
    with pytest.raises(UserError) as raised:
        read_list(tmp_path / "list.txt")
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path / 'list.txt'}:")
    assert "s3cret" not in str(raised.value)


def test_a_list_in_another_encoding_is_one_clear_error(tmp_path: Path):
    (tmp_path / "list.txt").write_bytes(b"# \xe9tudes\n")
    with pytest.raises(UserError, match=r"list\.txt: not text in UTF-8: .* at byte 2"):
        read_list(tmp_path / "list.txt")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:x/a.tar?s3cret", "http://127.0.0.1/\x01?s3cret", "http://..//a?s3cret"]
)
def test_a_url_that_cannot_be_requested_is_one_clear_error(tmp_path: Path, url: str):
    """Redirects bring such ones, too, which no one has checked."""
    with pytest.raises(UserError, match=r"cannot be fetched: \w+: look at the URL") as raised:
        fetch([Archive("0" * 64, "violin", "span-1", url)], tmp_path / "in")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("after", [b"", b"HTTP/1.0 200 OK\r\nContent-Length: 9999\r\n\r\npart"])
def test_a_connection_that_is_reset_is_the_hosts_fault_and_not_the_disks(tmp_path: Path, after: bytes):
    def reset(server: socket.socket) -> None:
        connection, _ = server.accept()
        connection.recv(1 << 16)
        connection.sendall(after)
        time.sleep(0.2)  # what was sent is read before the reset
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=reset, args=(server,), daemon=True).start()
        one = Archive("0" * 64, "violin", "span-1", f"http://127.0.0.1:{server.getsockname()[1]}/a.tar")
        with pytest.raises(UserError, match=r"a\.tar: cannot be fetched: Connection reset by peer"):
            fetch([one], tmp_path / "in")


@dataclass
class Host:
    """A web server that refuses.

    Attributes:
      url: of an archive there.
      requests: the headers of each.
    """

    url: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.requests.append(dict(self.headers))
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/a.tar?key=s3cret"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def test_a_secret_is_in_no_message_and_goes_to_no_host_in_the_clear(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECORDINGS_TOKEN", "s3cret")
    with pytest.raises(UserError, match=r"a\.tar: 403 Forbidden") as raised:
        fetch([Archive("0" * 64, "violin", "span-1", host.url)], tmp_path / "in")
    assert "s3cret" not in str(raised.value)
    assert "Authorization" not in host.requests[0]


@pytest.mark.parametrize("token", ["s3cret\nmore", "s3cret\u00e9", "s3 cret"])
def test_a_token_that_is_none_is_one_clear_error_that_does_not_show_it(
    tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECORDINGS_TOKEN", token)
    with pytest.raises(UserError, match=r"^RECORDINGS_TOKEN: holds no bearer token") as raised:
        fetch([Archive("0" * 64, "violin", "span-1", "https://127.0.0.1:1/a.tar")], tmp_path / "in")
    assert "cret" not in str(raised.value)
