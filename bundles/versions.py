"""Versions of a published instrument: their names, and the check that a version still is what its name states.

A name is the UTC time of the first push and the first eight digits of the SHA-256 of `manifest.json`, which lists every
other file with its own: `20250405T120000Z-1a2b3c4d`. Older names have the digits of `content_hash`, which leaves out
times, metrics and the model card; these versions stay valid. Names in order are pushes in order, whatever the clock of
a machine was: a new name is greater than all that exist.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bundles.manifest import MANIFEST_FILE, InvalidBundle, Manifest, check_files, content_hash, load
from common.errors import UserError

VERSION_PATTERN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
TIME_FORMAT = "%Y%m%dT%H%M%SZ"


def next_version(folder: Path, existing: Iterable[str], manifest: bytes, now: datetime) -> str:
    """Name a new version, later than all existing ones.

    Args:
      folder: of the instrument, for the message.
      existing: names of all versions in the folder.
      manifest: the new version's, as it is stored.
      now: time of the push. Where a version of that second or a later one exists (a clock was wrong, or two pushes
        share a second), the name has the second after the newest one's.

    Raises:
      UserError: no time is later than the newest version's, or that is no time.
    """
    moment = now.astimezone(timezone.utc).replace(microsecond=0)
    newest = max(existing, default="")
    if newest:
        try:
            named = datetime.strptime(newest.partition("-")[0], TIME_FORMAT).replace(tzinfo=timezone.utc)
            moment = max(moment, named + timedelta(seconds=1))
        except (ValueError, OverflowError):
            raise UserError(
                f"{folder / newest}: no version can be later than this one, whose name no push gave it: move the folder"
                " away, and run again"
            ) from None
    return f"{moment:{TIME_FORMAT}}-{hashlib.sha256(manifest).hexdigest()[:8]}"


def check_name(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Check the manifest of a version against the hash in the version's name.

    Args:
      folder: of the bundle. One that is no version's by its name, such as the exporter's, has no hash to check.
      manifest: of the bundle, as it was read.

    Raises:
      InvalidBundle: the manifest was changed after the version was published, if only in how it is written.
      OSError: it is gone.
    """
    if not VERSION_PATTERN.fullmatch(folder.name):
        return
    named, found = folder.name[-8:], hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()[:8]
    if named not in (found, content_hash(manifest)[:8]):
        raise InvalidBundle(
            f"{folder / MANIFEST_FILE}: was changed after it was published: it has the hash {found}, and the version's "
            f"name {named}"
        )


def load_intact(folder: Path) -> Manifest:
    """Read the manifest of a bundle, after checking it against the version's name and every file against it.

    Raises:
      InvalidBundle: the bundle is damaged or was changed; the message names the file.
    """
    manifest = load(folder)
    check_name(folder, manifest)
    check_files(folder, manifest)
    return manifest


def is_intact(folder: Path) -> bool:
    """Check whether a bundle is as it was published."""
    try:
        load_intact(folder)
    except (InvalidBundle, OSError):
        return False
    return True
