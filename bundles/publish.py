"""Publish bundles as static files, whole or not at all.

    ROOT/index.json              all instruments: what a page lists
    ROOT/NAME/latest.json        the version that is served, its manifest and that file's hash
    ROOT/NAME/VERSION/           a bundle; never changed once it is published, removed when it is too old

A push copies the bundle to a temporary folder beside its own, moves it there, then points `latest.json` to it, then
renews `index.json`, then removes versions that are too old. Each of these steps is atomic, and whatever happens between
two of them a whole version is served; the next push cleans up and goes on. Pushes of one instrument wait for each
other. The version that is served is never removed.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bundles.manifest import (
    MANIFEST_FILE,
    InvalidBundle,
    Manifest,
    check_files,
    content_hash,
    download,
    load,
)
from bundles.seal import seal
from bundles.versions import VERSION_PATTERN, check_name, is_intact, load_intact, next_version
from common import durable
from common.errors import UserError

LATEST_FILE = "latest.json"
INDEX_FILE = "index.json"
LOCK_FILE = ".lock"
INDEX_FORMAT_VERSION = 1


@dataclass(frozen=True)
class Published:
    """The result of a push.

    Attributes:
      name: of the instrument.
      version: that is served now.
      folder: of that version.
      new: False where it was served already, so that nothing was published.
      removed: versions that were too old, oldest first.
    """

    name: str
    version: str
    folder: Path
    new: bool
    removed: tuple[str, ...] = ()


def publish(
    bundle: Path,
    root: Path,
    now: datetime,
    metrics: Mapping[str, float] | None = None,
    keep_versions: int | None = None,
) -> Published:
    """Publish a bundle and serve it.

    A bundle whose content was published before is not published again: that version is served (again).

    Args:
      bundle: folder that the exporter made; it is not changed.
      root: folder of all published instruments; made if it is absent.
      now: time of the push, part of the version; see `next_version` for a clock that is behind.
      metrics: of the evaluation; they go into the manifest and the model card.
      keep_versions: how many of the newest intact versions stay; the served version stays in any case. None keeps all.

    Raises:
      InvalidBundle: the bundle does not match its manifest, or the manifest its schema.
      UserError: the destination cannot be written (read-only, full), or holds a version from the end of time.
    """
    manifest = load(bundle)
    check_files(bundle, manifest)
    name, content = manifest["instrument"]["name"], content_hash(manifest)
    folder = root / name
    with _writable(root), durable.locked(folder / LOCK_FILE):
        durable.clean(folder)
        before = served_version(folder)
        version = _find(folder, content)
        if version is None:
            version = _add(bundle, folder, now, metrics)
        if version != before:
            _point_to(folder, version)
        _renew_index(root)
        removed = _remove_old(folder, keep_versions)
    return Published(name, version, folder / version, new=version != before, removed=removed)


def serve(root: Path, name: str, version: str) -> Published:
    """Make an earlier version the one that is served.

    Raises:
      UserError: there is no such instrument or version, it is damaged, or the destination cannot be written.
    """
    folder = root / name
    if not folder.is_dir():
        raise UserError(f"{folder}: no such instrument has been published")
    with _writable(root), durable.locked(folder / LOCK_FILE):  # so that no push removes the version meanwhile
        _check_whole(folder, version)
        before = served_version(folder)
        if version != before:
            _point_to(folder, version)
        _renew_index(root)
    return Published(name, version, folder / version, new=version != before)


def versions(folder: Path) -> list[str]:
    """List the versions of one instrument (`ROOT/NAME`), oldest first, whether served or not."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and VERSION_PATTERN.fullmatch(path.name))


def served_version(folder: Path) -> str | None:
    """Return the served version of one instrument.

    None where there is none, `latest.json` leads nowhere, or the version's manifest was changed.
    """
    try:
        latest = json.loads((folder / LATEST_FILE).read_bytes())
        version = str(latest["version"])
        if not VERSION_PATTERN.fullmatch(version):
            return None
        stored = (folder / version / MANIFEST_FILE).read_bytes()
        check_name(folder / version, json.loads(stored))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):  # JSON of any other shape
        return None
    return version if hashlib.sha256(stored).hexdigest() == latest.get("sha256") else None


def resolve(folder: Path) -> Path:
    """Return the folder of the bundle: the folder itself, or the served version of `ROOT/NAME`.

    Raises:
      UserError: the folder is neither.
    """
    if (folder / MANIFEST_FILE).is_file():
        return folder
    version = served_version(folder)
    if version is None:
        raise UserError(f"{folder}: neither a bundle ({MANIFEST_FILE}) nor a published instrument ({LATEST_FILE})")
    return folder / version


def _check_whole(folder: Path, version: str) -> None:
    """Raise UserError where there is no such version, or it has changed since it was published."""
    known = versions(folder)
    if version not in known:
        raise UserError(f"{folder}: no version {version!r}; published versions: {', '.join(known) or 'none'}")
    try:
        load_intact(folder / version)
    except InvalidBundle as error:
        raise UserError(f"{folder.name} {version} cannot be served, it is damaged: {error}") from None


def _find(folder: Path, content: str) -> str | None:
    """Find an intact version with this content, preferably the served version."""
    served = served_version(folder)
    same = (version for version in versions(folder) if _content(folder / version) == content)
    intact = [version for version in same if is_intact(folder / version)]
    return served if served in intact else next(iter(intact), None)


def _content(folder: Path) -> str | None:
    """Compute the hash of a version's content from its manifest alone; None where that is damaged."""
    try:
        return content_hash(json.loads((folder / MANIFEST_FILE).read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _add(bundle: Path, folder: Path, now: datetime, metrics: Mapping[str, float] | None) -> str:
    """Copy a bundle to the folder of a new version, metrics added. Returns the version."""
    incoming = folder / f"{durable.TEMPORARY}version"
    try:
        durable.copy(bundle, incoming)
        manifest = load(incoming)
        if metrics:
            manifest = seal(incoming, {**manifest, "metrics": dict(metrics)})
        check_files(incoming, manifest)
        version = next_version(folder, versions(folder), (incoming / MANIFEST_FILE).read_bytes(), now)
        durable.move(incoming, folder / version)
    except BaseException:
        with suppress(OSError):  # a disk that cannot be written may not allow removal either: the next push tries again
            durable.clean(folder)
        raise
    return version


def _remove_old(folder: Path, keep: int | None) -> tuple[str, ...]:
    """Remove what is older than the newest intact versions, but the served one; return those that were removed.

    A version that was changed or damaged does not count: it is removed once it is older than those that are kept.
    """
    served = served_version(folder)
    if keep is None or served is None:  # where the served version is unknown, no version may go
        return ()
    intact = (version for version in reversed(versions(folder)) if is_intact(folder / version))
    kept = list(islice(intact, keep))
    too_old = [version for version in versions(folder) if len(kept) == keep and version < kept[-1]]
    removed = []
    for version in [old for old in too_old if old != served]:
        try:
            durable.remove(folder / version)
        except OSError as error:  # the push itself is done: the next one tries again
            logging.warning("%s: an old version could not be removed: %s", folder / version, error)
            break
        removed.append(version)
    return tuple(removed)


def _point_to(folder: Path, version: str) -> None:
    manifest = folder / version / MANIFEST_FILE
    latest = {
        "version": version,
        "manifest": f"{version}/{MANIFEST_FILE}",
        "sha256": hashlib.sha256(manifest.read_bytes()).hexdigest(),
    }
    durable.write(folder / LATEST_FILE, _json(latest))


def _renew_index(root: Path) -> None:
    """Write `index.json` from the folders, so that pushes of different instruments never lose one another."""
    with durable.locked(root / LOCK_FILE):
        entries = [entry for folder in sorted(root.iterdir()) if (entry := _index_entry(folder))]
        index = _json({"format_version": INDEX_FORMAT_VERSION, "instruments": entries})
        if not (root / INDEX_FILE).exists() or (root / INDEX_FILE).read_bytes() != index:
            durable.write(root / INDEX_FILE, index)


def _index_entry(folder: Path) -> dict[str, Any] | None:
    version = served_version(folder)
    if version is None:
        return None
    try:
        manifest: Manifest = load(folder / version)
    except InvalidBundle:
        return None
    return {
        "name": folder.name,
        "title": manifest["instrument"]["title"],
        "description": manifest["instrument"]["description"],
        "version": version,
        "manifest": f"{folder.name}/{version}/{MANIFEST_FILE}",
        "download": {graph: download(manifest, [graph]) for graph in manifest["graphs"]},
    }


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


@contextmanager
def _writable(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename or root
        raise UserError(
            f"{root}: cannot publish: {error.strerror or error} ({path}). The version served before is still served. "
            "Make the folder writable or free some space, and run again"
        ) from error
