"""Fetches the recordings that a list names: archives by URL, each checked by its SHA-256 and unpacked as a span.

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
import sys
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

from common.bearer import bearer_token
from common.errors import UserError
from data.files.listing import SPAN, number_of
from pipeline import command
from pipeline.command import DONE, Answer
from pipeline.configuration.loading import instruments

TOKEN = "RECORDINGS_TOKEN"
MARK = ".sha256"  # in a span's folder: of the archive that it was unpacked from
SCHEMES = ("https", "http", "file")
SECONDS = 60  # that a host may be silent
BLOCK = 1 << 20

# What Python's libraries raise over archives that are damaged or name what cannot be; of the system's errors, those
# that names in an archive bring about: the folder is new and our own, so nothing else is in their way.
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
        """The URL without what may be secret in it: user, password, query."""
        parts = urllib.parse.urlsplit(self.url)
        return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def read_list(path: Path) -> list[Archive]:
    """Read and check the whole list.

    Raises:
      UserError: there is none, it names nothing, or a line is wrong; the message says which.
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
    _check_places(path, archives)
    return archives


def _is_url(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port  # which is read only now
    except ValueError:
        return False
    return url.isascii() and url.isprintable()


def _check_places(path: Path, archives: list[Archive]) -> None:
    named: dict[tuple[str, int], str] = {}
    for one in archives:
        place, number = f"{one.instrument}/{one.span}", (one.instrument, number_of(one.span))
        if number in named:
            what = f"{place} is named twice" if named[number] == place else f"{named[number]} and {place} are one span"
            raise UserError(f"{path}: {what}: give every archive a span of its own")
        named[number] = place


def _archive(where: str, words: list[str]) -> Archive:
    if len(words) != 3:
        raise UserError(f"{where}: must look like `SHA256 NAME/span-N URL`")
    sha256, place, url = words
    name, _, span = place.partition("/")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise UserError(
            f"{where}: {sha256!r} is not a SHA-256 in 64 small hexadecimal digits: sha256sum ARCHIVE gives it"
        )
    if name not in instruments():
        raise UserError(f"{where}: no instrument {name!r}; known: {', '.join(instruments())}")
    if not SPAN.match(span):
        raise UserError(f"{where}: {place!r} must be NAME/span-N")
    if not _is_url(url):
        raise UserError(
            f"{where}: the URL of {place} is not one that can be asked for: percent-encode what is not ASCII, and give "
            "the host and its port as SCHEME://HOST:PORT/PATH"
        )  # which does not show it, since a part that is secret cannot be told from the others
    archive = Archive(sha256, name, span, url)
    if urllib.parse.urlsplit(url).scheme not in SCHEMES:
        raise UserError(f"{where}: {archive.shown!r} is not a URL of the kinds {', '.join(SCHEMES)}")
    return archive


def fetch(archives: list[Archive], recordings: Path) -> list[str]:
    """Bring a folder of recordings up to date: what is there is not fetched again, other spans are left alone.

    Args:
      archives: to fetch.
      recordings: folder that holds one folder an instrument.

    Returns:
      The spans that were fetched, as `NAME/span-N`.

    Raises:
      UserError: an archive cannot be fetched, is not what the list says, or cannot be unpacked; or recordings that
        were not fetched lie in its place.
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
                _place(_unpacked(archive, Path(scratch)), folder)
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
    """Only what was unpacked here is replaced: it can be fetched again, what someone put there cannot."""
    try:
        unmarked = not (folder / MARK).exists() and any(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{folder}: cannot be looked into: {error.strerror}") from None
    if unmarked:
        raise UserError(f"{folder}: what lies there was not fetched: move it away, or give the archive another span")


def _unpacked(archive: Archive, scratch: Path) -> Path:
    """The folder with what an archive holds and the mark of it."""
    packed, folder = scratch / "archive", scratch / "span"
    found = _download(archive, packed)
    if found != archive.sha256:
        raise UserError(
            f"{archive.shown}: has the SHA-256 {found}, the list says {archive.sha256}: it is damaged or another one"
        )
    folder.mkdir()
    try:
        _unpack(packed, folder)
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno not in OF_NAMES:
            raise
        raise UserError(f"{archive.shown}: cannot be unpacked as tar or zip: {_why(error)}: pack it anew") from None
    (folder / MARK).write_text(f"{archive.sha256}\n", encoding="utf-8")
    return folder


def _unpack(packed: Path, folder: Path) -> None:
    if zipfile.is_zipfile(packed):
        with zipfile.ZipFile(packed) as zipped:
            zipped.extractall(folder)
    else:
        with tarfile.open(packed) as tarred:
            tarred.extractall(folder, filter="data")  # nothing outside the folder, no devices
            while tarred.fileobj and tarred.fileobj.read(BLOCK):
                pass  # to the end, where the checksum of what was compressed stands


def _why(error: Exception) -> str:
    """What a library said, in one line."""
    said = error.strerror if isinstance(error, OSError) else error.args[0] if error.args else None
    return " ".join(str(said or error or type(error).__name__).split())[:200]


def _place(unpacked: Path, folder: Path) -> None:
    """Put a span in its place as a whole."""
    if folder.exists():
        shutil.rmtree(folder)
    unpacked.rename(folder)


def _download(archive: Archive, target: Path) -> str:
    """Fetch an archive; returns its SHA-256, hex."""
    request = urllib.request.Request(archive.url)
    secret = os.environ.get(TOKEN, "").strip()  # a workflow without that secret sets it to nothing
    if secret and request.type == "https":
        token = bearer_token(secret, TOKEN)
        request.add_unredirected_header("Authorization", f"Bearer {token}")  # not to where the host sends us on
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for block in _blocks(archive, request):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _blocks(archive: Archive, request: urllib.request.Request) -> Iterator[bytes]:
    """What a host sends. Its faults are told here, where none of our own disk's can be meant."""
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            while block := answer.read(BLOCK):
                yield block
    except urllib.error.HTTPError as error:
        raise UserError(f"{archive.shown}: {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise UserError(f"{archive.shown}: cannot be fetched: {error.reason}") from None
    except TimeoutError:
        raise UserError(f"{archive.shown}: cannot be fetched: the host is silent for {SECONDS} s") from None
    except OSError as error:
        raise UserError(f"{archive.shown}: cannot be fetched: {error.strerror or error}: try again") from None
    except (http.client.HTTPException, ValueError) as error:  # the message may quote a URL with all that is secret
        raise UserError(f"{archive.shown}: cannot be fetched: {type(error).__name__}: look at the URL") from None


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m pipeline.retraining.fetching", description=__doc__.splitlines()[0])
    top.add_argument("--list", type=Path, required=True, help="the list of archives")
    top.add_argument("--recordings", type=Path, required=True, help="folder that holds one folder an instrument")
    top.set_defaults(answer=_fetch, json=False)
    return top


def _fetch(arguments: argparse.Namespace) -> Answer:
    archives = read_list(arguments.list)
    fetched = fetch(archives, arguments.recordings)
    print(f"{len(archives)} spans are named, fetched now: {', '.join(fetched) or 'none'}")
    return DONE, {"fetched": fetched}


if __name__ == "__main__":
    sys.exit(command.main(parser(), None))
