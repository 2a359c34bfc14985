"""Finds recordings in a folder, or in the newest of its spans."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from common.errors import UserError
from data.files.contents import HEAD_BYTES, is_something_else

# Endings of sound files, read or not: their bytes decide. Of other files, the bytes alone do.
DECODED = ".wav .wave .bwf .rf64 .bw64 .w64 .flac .ogg .oga .opus .mp3 .mp2 .mpga .aif .aiff .aifc .au .snd .caf"
RARE = ".voc .8svx .sph .nist .sf .ircam .paf .avr .pvf .xi .wve"
NOT_DECODED = ".m4a .mp4 .aac .wma .webm .ape .alac .amr .mka .3gp .wv"
AUDIO_ENDINGS = frozenset((*DECODED.split(), *RARE.split(), *NOT_DECODED.split()))
READ = "wav flac ogg opus mp3 mp2 aiff au caf w64 rf64"  # the usual kinds, for a message
SPAN = re.compile(r"span-(\d+)$")
VERSION = re.compile(r"version-(\d+)$")
WORDS = {SPAN: ("span", "N"), VERSION: ("version", "M")}
ALMOST = {kind: re.compile(rf"{word}[\W_]*(\d+)", re.IGNORECASE) for kind, (word, _) in WORDS.items()}  # span_2, Span-2


@dataclass(frozen=True)
class Listing:
    """The files in a folder of recordings that are, or may be, sound.

    Attributes:
      names: relative to the folder, in order.
    """

    names: tuple[str, ...]


def list_recordings(base: str, pattern: str, span_window: int) -> Listing:
    """List the recordings of the span window.

    Args:
      base: folder or URI.
      pattern: relative to it, as resolved for one span: "*", "span-3/*" or "span-3/version-1/*".
      span_window: how many of the newest spans up to that one are taken; of each the newest version.

    Raises:
      UserError: the folder is absent, there is no audio file in it or in its newest span, or a name is not Unicode.
    """
    if not _is_folder(base):
        raise UserError(f"{base}: no such folder of recordings")
    folders = _window(base, pattern.rstrip("*").rstrip("/"), span_window)
    found = sorted(name for folder in folders for name in _files(base, folder))
    odd = [name for name in found if not _is_unicode(name)]
    if odd:
        raise UserError(f"{base}: the name of {os.fsencode(odd[0])!r} is not Unicode (UTF-8): rename that file")
    names = tuple(name for name in found if _may_be_sound(base, name))
    newest = f"{folders[-1]}/" if folders and folders[-1] else ""
    if not any(name.startswith(newest) for name in names):
        searched = f"{base.rstrip('/')}/{newest}".rstrip("/")
        raise UserError(
            f"{searched}: no recordings there, nor in folders below it; files of these kinds are read: {READ}"
        )
    return Listing(names)


def input_pattern(base: str) -> str:
    """Find how recordings are laid out below a folder: with spans, with spans and versions, or neither.

    Returns:
      A pattern for TFX's ExampleGen: "*", "span-{SPAN}/*" or "span-{SPAN}/version-{VERSION}/*".

    Raises:
      UserError: only some of the spans have versions, two have one number, or recordings lie beside spans or versions,
        where they would be passed over.
    """
    spans = _spans(base)
    if not spans:
        return "*"
    versions = [bool(_alone(base, folder, VERSION)) for folder in spans.values()]
    if any(versions) and not all(versions):
        raise UserError(f"{base}: some span-N folders hold version-M folders and others do not: make them alike")
    return "span-{SPAN}/version-{VERSION}/*" if all(versions) else "span-{SPAN}/*"


def number_of(span: str) -> int:
    """Return the number of a folder `span-N`; `span-01` has that of `span-1`."""
    return int(span.partition("-")[2])


def span_of(name: str) -> str | None:
    """Return the folder `span-N` of a recording, by its name relative to the base; None where it lies in none."""
    top, nested, _ = name.partition("/")
    return top if nested and SPAN.match(top) else None


def newest_span(names: Iterable[str]) -> str | None:
    """Return the folder of the newest span that any of these recordings lies in; None where there are no spans."""
    spans = {span for name in names if (span := span_of(name))}
    return max(spans, key=number_of, default=None)


@dataclass(frozen=True)
class Resolved:
    """The newest span and version of a folder of recordings.

    Attributes:
      pattern: with both filled in.
      span: 0 where there are none.
      version: None where there are none.
    """

    pattern: str
    span: int = 0
    version: int | None = None


def resolve(base: str, pattern: str) -> Resolved:
    """Find the newest span of recordings and its newest version; spans without anything in them do not count.

    Args:
      base: folder or URI.
      pattern: as `input_pattern` returns it.

    Raises:
      UserError: there is no such folder, no span or version where the pattern names them, or recordings lie beside
        these, where they would be passed over.
    """
    if not _is_folder(base):
        raise UserError(f"{base}: no such folder of recordings")
    if "{SPAN}" not in pattern:
        return Resolved(pattern)
    spans = _spans(base)
    if not spans:
        raise UserError(f"{base}: no span-N folder with recordings there")
    span = max(spans)
    if "{VERSION}" not in pattern:
        return Resolved(f"{spans[span]}/*", span)
    versions = _alone(base, spans[span], VERSION)
    if not versions:
        raise UserError(f"{base}: no version-M folder with recordings in {spans[span]}")
    return Resolved(f"{versions[max(versions)]}/*", span, max(versions))


def _window(base: str, folder: str, span_window: int) -> list[str]:
    """List the folders of the newest `span_window` spans up to the one in `folder`, the newest version of each."""
    parts = PurePosixPath(folder).parts
    newest = SPAN.match(parts[0]) if parts else None
    if not newest:
        return [folder]
    spans = _numbered(base, "", subfolders(base), SPAN)
    taken = [spans[span] for span in sorted(spans) if span <= int(newest.group(1))][-span_window:]
    if len(parts) == 1:
        return taken
    versions = [_numbered(base, span, _listed(base, span)[0], VERSION) for span in taken]
    return [found[max(found)] for found in versions if found]


def _spans(base: str) -> dict[int, str]:
    """Find the spans of a folder: number -> name. Raises as `_alone` does."""
    return _alone(base, "", SPAN)


def _alone(base: str, folder: str, kind: re.Pattern[str]) -> dict[int, str]:
    """Find what `_numbered` does, once no recordings lie beside what it finds, or in a folder that is almost named so.

    Raises:
      UserError: some do: they would be passed over, or taken for what they are not.
    """
    folders, files = _listed(base, folder)
    found = _numbered(base, folder, folders, kind)
    word, number = WORDS[kind]
    at = f"{folder}/" if folder else ""
    for name in folders:
        almost = ALMOST[kind].match(name)
        if kind.match(name) or not (found or almost) or not holds_recordings(base, f"{at}{name}"):
            continue
        if found:
            raise UserError(
                f"{base}: {at}{name} holds recordings, but only {word}-{number} folders are read there: rename it to "
                f"{word}-{max(found) + 1}, the next one, put them into one of those, or move it away"
            )
        raise UserError(
            f"{base}: {at}{name} holds recordings and looks like a {word}, but is not named {word}-{number}: rename it "
            f"to {word}-{int(almost.group(1)) if almost else 1}, or to something else if it is none"
        )
    loose = [name for name in files if _may_be_sound(base, f"{at}{name}")]
    if found and loose:
        raise UserError(f"{base}: {at}{loose[0]} lies beside {word}-{number} folders: move it into one of them")
    return found


def _numbered(base: str, folder: str, folders: Iterable[str], kind: re.Pattern[str]) -> dict[int, str]:
    """Find subfolders that are named by number and hold any file, in or below: number -> path from `base`.

    Raises:
      UserError: two of them have one number.
    """
    found: dict[int, str] = {}
    for name in folders:
        match = kind.match(name)
        path = f"{folder}/{name}" if folder else name
        if match and next(_files(base, path), None):
            other = found.setdefault(int(match.group(1)), path)
            if other != path:
                raise UserError(f"{base}: {other} and {path} have one number: rename one, or put them together")
    return found


def _is_unicode(name: str) -> bool:
    """Check for undecodable bytes, which Python keeps as lone surrogates and neither Beam nor TFX can pass on."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _is_folder(base: str) -> bool:
    return _fileio().isdir(base) if "://" in base else os.path.isdir(base)


def subfolders(base: str) -> list[str]:
    """List the names of the folders in a folder or URI, in order; hidden ones are left out.

    Raises:
      UserError: it cannot be listed.
    """
    return _listed(base, "")[0]


def holds_recordings(base: str, folder: str) -> bool:
    """Check whether there is any recording in or below a folder in `base`, of whatever kind.

    Raises:
      UserError: it cannot be listed.
    """
    return any(_may_be_sound(base, name) for name in _files(base, folder))


def _may_be_sound(base: str, name: str) -> bool:
    """Check a file's ending, and its first bytes where it is no sound's: only what is known to be no sound is none."""
    if _suffix(name) in AUDIO_ENDINGS:
        return True
    path = f"{base.rstrip('/')}/{name}"
    if "://" in base:
        with _fileio().open(path, "rb") as file:
            return not is_something_else(file.read(HEAD_BYTES))
    if not os.path.isfile(path):  # a pipe would be waited for
        return False
    try:
        with open(path, "rb") as file:
            return not is_something_else(file.read(HEAD_BYTES))
    except OSError:  # it will be set aside for that
        return True


def _listed(base: str, folder: str) -> tuple[list[str], list[str]]:
    """List the names of folders and of files in a folder, in order, without hidden ones; none if it is absent."""
    path = os.path.join(base, folder)
    if "://" in base:
        if not _fileio().isdir(path):
            return [], []
        found = [name.rstrip("/") for name in _fileio().listdir(path)]
        kinds = {name: _fileio().isdir(f"{path.rstrip('/')}/{name}") for name in found}
    elif not os.path.isdir(path):
        return [], []
    else:
        try:
            with os.scandir(path) as entries:
                kinds = {entry.name: entry.is_dir() for entry in entries}
        except OSError as error:
            raise _unlisted(error) from None
    names = sorted(name for name in kinds if not name.startswith("."))
    return [name for name in names if kinds[name]], [name for name in names if not kinds[name]]


def _refuse(error: OSError) -> None:
    """Raise, since a folder that cannot be listed must not be passed over: it may be the newest span."""
    if not isinstance(error, FileNotFoundError):
        raise _unlisted(error)


def _unlisted(error: OSError) -> UserError:
    path = os.path.normpath(error.filename)
    return UserError(f"{path}: cannot be listed: {error.strerror}: make it readable, or name a folder without it")


def _files(base: str, folder: str) -> Iterator[str]:
    """Walk the files below a folder, relative to `base`, with forward slashes; hidden ones are left out."""
    top = os.path.join(base, folder) if folder else base
    walk = _fileio().walk(top) if "://" in base else os.walk(top, onerror=_refuse, followlinks=True)
    visited = set()
    for parent, subfolders, files in walk:
        real = parent if "://" in base else os.path.realpath(parent)
        if real in visited:  # a link back to a folder above
            subfolders.clear()
            continue
        visited.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in files:
            if not name.startswith("."):
                yield os.path.relpath(os.path.join(parent, name), base).replace(os.sep, "/")


def _fileio():  # type: ignore[no-untyped-def]
    from tfx.dsl.io import fileio

    return fileio


def fingerprint(base: str, listing: Listing) -> str:
    """Hash names and contents of all recordings, whenever and however often they were fetched. SHA-256, hex.

    Of those behind a URI, which would have to be fetched to be read, size and time of change stand for the content.
    """
    digest = hashlib.sha256()
    for name in sorted(listing.names):
        digest.update(f"{name}\0{_content(base, name)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content(base: str, name: str) -> str:
    if "://" in base:
        found = _fileio().stat(f"{base.rstrip('/')}/{name}")
        return f"{found.length} {found.mtime_nsec}"
    try:
        with open(os.path.join(base, name), "rb") as file:
            return _sha256(file)
    except OSError as error:  # it will be set aside for that
        return f"unreadable: {error.strerror}"


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
