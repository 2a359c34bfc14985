"""Fetch the recordings that a list names: archives by URL, each checked by its SHA-256 and unpacked as a span.

    SHA256  NAME/span-N  URL      a line of the list; # begins a comment

`python -m pipeline.retraining.fetching --list FILE --recordings FOLDER`. Where RECORDINGS_TOKEN is set, it is sent to
the hosts of https URLs as a bearer token, to them alone, and never shown.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import http.client
import lzma
import os
import re
import shutil
import struct
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.errors import UserError
from data.files.listing import SPAN, number_of
from pipeline import command
from pipeline.bearer import bearer_token
from pipeline.command import DONE, Result
from pipeline.configuration.loading import instruments

TOKEN = "RECORDINGS_TOKEN"
MARK = ".sha256"  # in a span's folder: of the archive that it was unpacked from
SCHEMES = ("https", "http", "file")
SECONDS = 60  # that a host may be silent
BLOCK = 1 << 20
MOST_FILES, MOST_BYTES = 20_000, 50 * 10**9  # of an archive: 48 hours of stereo at 48 kHz and 24 bits


# Raised by Python's libraries for archives that are damaged or hold impossible names. Of the system's errors, those
# that names in an archive cause: the folder is new and our own, so nothing else is in their way.
DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, struct.error),
    *(LookupError, ValueError, ArithmeticError, RuntimeError),
)
OF_NAMES = {
    *(None, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.ENOENT, errno.EILSEQ),
    *(errno.ELOOP, errno.ENOTEMPTY),
}


@dataclass(frozen=True)
class Archive:
    """One line of the list.

    Attributes:
      sha256: hex.
      instrument: a file in configs/instruments.
      span: name of the folder, `span-N`.
      url: of a tar (compressed in any usual way) or zip.
    """

    sha256: str
    instrument: str
    span: str
    url: str

    @property
    def shown(self) -> str:
        """The URL without the parts that may be secret: user, password, query."""
        parts = urllib.parse.urlsplit(self.url)
        return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def read_list(path: Path) -> list[Archive]:
    """Read and check the whole list.

    Raises:
      UserError: there is no list, it names nothing, or a line is wrong; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: it should name the recordings to fetch") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not text in UTF-8: {error.reason} at byte {error.start}: save it as that") from None
    numbered = [(number, line.split("#", 1)[0].split()) for number, line in enumerate(lines, 1)]
    archives = [_archive(f"{path}:{number}", words) for number, words in numbered if words]
    if not archives:
        raise UserError(f"{path}: names no recordings yet: add a line `SHA256 NAME/span-N URL` for each span")
    _check_spans(path, archives)
    return archives


def _is_url(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port  # parsed only when it is read
    except ValueError:
        return False
    return url.isascii() and url.isprintable()


def _check_spans(path: Path, archives: list[Archive]) -> None:
    """Raise UserError where two archives are of one span."""
    named: dict[tuple[str, int], str] = {}
    for archive in archives:
        span, number = f"{archive.instrument}/{archive.span}", (archive.instrument, number_of(archive.span))
        if number in named:
            what = f"{span} is named twice" if named[number] == span else f"{named[number]} and {span} are one span"
            raise UserError(f"{path}: {what}: give every archive a span of its own")
        named[number] = span


def _archive(where: str, words: list[str]) -> Archive:
    if len(words) != 3:
        raise UserError(f"{where}: must look like `SHA256 NAME/span-N URL`")
    sha256, folder, url = words
    name, _, span = folder.partition("/")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise UserError(
            f"{where}: {sha256!r} is not a SHA-256 in 64 small hexadecimal digits: sha256sum ARCHIVE gives it"
        )
    if name not in instruments():
        raise UserError(f"{where}: no instrument {name!r}; known: {', '.join(instruments())}")
    if not SPAN.match(span):
        raise UserError(f"{where}: {folder!r} must be NAME/span-N")
    if not _is_url(url):
        raise UserError(
            f"{where}: the URL of {folder} is not one that can be requested: percent-encode what is not ASCII, and "
            "give the host and its port as SCHEME://HOST:PORT/PATH"
        )  # the URL is not shown, since its secret parts cannot be distinguished from the others
    archive = Archive(sha256, name, span, url)
    if urllib.parse.urlsplit(url).scheme not in SCHEMES:
        raise UserError(f"{where}: {archive.shown!r} is not a URL of the kinds {', '.join(SCHEMES)}")
    return archive


def fetch(archives: list[Archive], recordings: Path) -> list[str]:
    """Bring a folder of recordings up to date: spans that it has are not fetched again, other folders are left alone.

    Args:
      archives: to fetch.
      recordings: folder that holds one folder an instrument.

    Returns:
      The spans that were fetched, as `NAME/span-N`.

    Raises:
      UserError: an archive cannot be fetched, has another SHA-256 than the list, or cannot be unpacked; or recordings
        that were not fetched lie in its folder.
    """
    fetched = []
    for archive in archives:
        folder = recordings / archive.instrument / archive.span
        if _mark(folder) == archive.sha256:
            continue
        _check_ours(folder)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as scratch:
                _move(_unpacked(archive, Path(scratch)), folder)
        except OSError as error:
            raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None
        fetched.append(f"{archive.instrument}/{archive.span}")
    return fetched


def _mark(folder: Path) -> str | None:
    try:
        return (folder / MARK).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _check_ours(folder: Path) -> None:
    """Raise UserError for a folder that was not unpacked here: it could not be fetched again if it were replaced."""
    try:
        unmarked = not (folder / MARK).exists() and any(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{folder}: cannot be listed: {error.strerror}") from None
    if unmarked:
        raise UserError(f"{folder}: what lies there was not fetched: move it away, or give the archive another span")


def _unpacked(archive: Archive, scratch: Path) -> Path:
    """Download and unpack an archive. Return the folder of its files and its mark."""
    packed, folder = scratch / "archive", scratch / "span"
    found = _download(archive, packed)
    if found != archive.sha256:
        raise UserError(
            f"{archive.shown}: has the SHA-256 {found}, the list has {archive.sha256}: it is damaged or another one"
        )
    folder.mkdir()
    try:
        _unpack(packed, folder, archive.shown)
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno not in OF_NAMES:
            raise
        raise UserError(f"{archive.shown}: cannot be unpacked as tar or zip: {_why(error)}: pack it anew") from None
    (folder / MARK).write_text(f"{archive.sha256}\n", encoding="utf-8")
    return folder


def _unpack(packed: Path, folder: Path, shown: str) -> None:
    """Unpack a tar or zip file, as far as it is within bounds: a small archive can hold files without end."""
    if zipfile.is_zipfile(packed):
        with zipfile.ZipFile(packed) as zipped:
            entries = zipped.infolist()
            _check_bounds(len(entries), sum(entry.file_size for entry in entries), shown)  # no more is unpacked
            zipped.extractall(folder)
        return
    size = 0
    with tarfile.open(packed) as tarred:
        for count, member in enumerate(tarred, 1):
            size += member.size
            _check_bounds(count, size, shown)
            tarred.extract(member, folder, filter="data")  # nothing outside the folder, no devices
        while tarred.fileobj and (block := tarred.fileobj.read(BLOCK)):
            size += len(block)  # to the end, where the checksum of the compressed data is
            _check_bounds(0, size, shown)


def _check_bounds(files: int, size: int, shown: str) -> None:
    """Raise UserError for more files or bytes than a span of recordings has."""
    if files > MOST_FILES or size > MOST_BYTES:
        what = f"{MOST_FILES:,} files" if files > MOST_FILES else f"{MOST_BYTES / 10**9:g} GB"
        raise UserError(f"{shown}: holds more than {what}: divide it into several spans")


def _why(error: Exception) -> str:
    """Return a library's message in one line."""
    message = error.strerror if isinstance(error, OSError) else error.args[0] if error.args else None
    return " ".join(str(message or error or type(error).__name__).split())[:200]


def _move(unpacked: Path, folder: Path) -> None:
    """Move a span to its folder as a whole."""
    if folder.exists():
        shutil.rmtree(folder)
    unpacked.rename(folder)


def _download(archive: Archive, target: Path) -> str:
    """Fetch an archive into `target`. Return its SHA-256, hex."""
    request = urllib.request.Request(archive.url)
    secret = os.environ.get(TOKEN, "").strip()  # empty in a workflow that has no such secret
    if secret and request.type == "https":
        token = bearer_token(secret, TOKEN)
        request.add_unredirected_header("Authorization", f"Bearer {token}")  # not to the target of a redirect
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for block in _blocks(archive, request):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _blocks(archive: Archive, request: urllib.request.Request) -> Iterator[bytes]:
    """Yield the body of a response. Faults of the host become UserError here, apart from those of our own disk."""
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            size = 0
            while block := response.read(BLOCK):
                _check_bounds(0, size := size + len(block), archive.shown)
                yield block
    except urllib.error.HTTPError as error:
        raise UserError(f"{archive.shown}: {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise UserError(f"{archive.shown}: cannot be fetched: {error.reason}") from None
    except TimeoutError:
        raise UserError(f"{archive.shown}: cannot be fetched: the host is silent for {SECONDS} s") from None
    except OSError as error:
        raise UserError(f"{archive.shown}: cannot be fetched: {error.strerror or error}: try again") from None
    except (http.client.HTTPException, ValueError) as error:  # the message may quote a URL with its secret parts
        raise UserError(f"{archive.shown}: cannot be fetched: {type(error).__name__}: look at the URL") from None


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m pipeline.retraining.fetching", description=__doc__.splitlines()[0])
    top.add_argument("--list", type=Path, required=True, help="the list of archives")
    top.add_argument("--recordings", type=Path, required=True, help="folder that holds one folder an instrument")
    top.set_defaults(handler=_fetch, json=False)
    return top


def _fetch(arguments: argparse.Namespace) -> Result:
    archives = read_list(arguments.list)
    fetched = fetch(archives, arguments.recordings)
    print(f"{len(archives)} spans are named, fetched now: {', '.join(fetched) or 'none'}")
    return DONE, {"fetched": fetched}


if __name__ == "__main__":
    command.leave(command.main(parser(), None))
