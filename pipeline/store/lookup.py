"""Find a published instrument, and the version of it that is served, by its name under an output folder."""

from __future__ import annotations

import difflib
from pathlib import Path

from bundles.publish import served_version, versions
from common.errors import UserError
from pipeline.store.folders import RunFolders


def find_published(output: Path, name: str) -> RunFolders:
    """Return the folders of an instrument that has been published.

    Raises:
      UserError: no instrument of that name was published under `output`; the message names those that were.
    """
    folders = RunFolders(recordings=Path(), output=output, name=name)
    known = published(folders.pushed)
    if name in known:
        return folders
    if not known:
        raise UserError(
            f"{folders.pushed}: no instrument has been published there: train one with `local_runner.py run`, or name "
            "another folder with --output"
        )
    near = difflib.get_close_matches(name, known, n=1)
    raise UserError(
        f"{folders.pushed}: no instrument {name!r} has been published there. "
        + (f"Did you mean {near[0]!r}? " if near else "")
        + f"Published: {', '.join(known)}"
    )


def published(pushed: Path) -> list[str]:
    """List the names of all instruments with a version, served or not."""
    if not pushed.is_dir():
        return []
    return sorted(folder.name for folder in pushed.iterdir() if versions(folder))


def served(folders: RunFolders) -> str:
    """Return the version of an instrument that is served.

    Raises:
      UserError: no version is, since `latest.json` is damaged.
    """
    instrument = folders.pushed / folders.name
    version = served_version(instrument)
    if version is None:
        raise UserError(
            f"{instrument}: no version is served, latest.json is damaged or leads nowhere: serve one again with "
            f"`local_runner.py rollback {folders.name} VERSION`; published versions: {', '.join(versions(instrument))}"
        )
    return version
