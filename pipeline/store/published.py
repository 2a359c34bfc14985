"""What has been published under an output folder: finding a version, and serving an earlier one again."""

from __future__ import annotations

import difflib
from pathlib import Path

from bundles.publish import Published, serve, served_version, versions
from common.errors import UserError
from pipeline.store.folders import RunFolders


def places(output: Path, name: str) -> RunFolders:
    """The places of an instrument that has been published, by its name alone.

    Raises:
      UserError: no instrument of that name was published under `output`; names those that were.
    """
    found = RunFolders(recordings=Path(), output=output, name=name)
    if name in published(found.pushed):
        return found
    known = published(found.pushed)
    if not known:
        raise UserError(
            f"{found.pushed}: no instrument has been published there: train one with `local_runner.py run`, or name "
            "another folder with --output"
        )
    near = difflib.get_close_matches(name, known, n=1)
    raise UserError(
        f"{found.pushed}: no instrument {name!r} has been published there. "
        + (f"Did you mean {near[0]!r}? " if near else "")
        + f"Published: {', '.join(known)}"
    )


def published(pushed: Path) -> list[str]:
    """The names of all instruments with a version, served or not."""
    if not pushed.is_dir():
        return []
    return sorted(folder.name for folder in pushed.iterdir() if versions(folder))


def rollback(output: Path, name: str, version: str) -> Published:
    """Make an earlier version the one that is served; every other version stays where it is.

    Raises:
      UserError: an unknown instrument or version, a damaged one, or a folder that cannot be written. What was served
        before is still served then.
    """
    return serve(places(output, name).pushed, name, version)


def served(place: RunFolders) -> str:
    """The version of an instrument that is served.

    Raises:
      UserError: none is, since what says so is damaged.
    """
    version = served_version(place.pushed / place.name)
    if version is None:
        known = ", ".join(versions(place.pushed / place.name))
        raise UserError(
            f"{place.pushed / place.name}: no version is served, latest.json is damaged or leads nowhere: serve one "
            f"again with `local_runner.py rollback {place.name} VERSION`; published versions: {known}"
        )
    return version
