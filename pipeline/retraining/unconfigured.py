"""Folders of recordings that no instrument has: one that is misspelt would never be trained, and no one would know."""

from __future__ import annotations

import difflib

from common.errors import UserError
from data.analysis import shown
from data.files.listing import holds_recordings, subfolders
from pipeline.configuration.loading import instruments


def unconfigured(recordings: str) -> dict[str, str]:
    """Find what lies beside the folders of known instruments; folders without recordings and hidden ones may.

    Args:
      recordings: folder or URI that holds one folder an instrument.

    Returns:
      By name of the folder, what is wrong with it and what to do; also of one that cannot be looked into.

    Raises:
      UserError: `recordings` itself cannot be looked into.
    """
    known = instruments()
    found = {}
    for name in subfolders(recordings):
        if name in known:
            continue
        try:
            if holds_recordings(recordings, name):
                found[shown(name)] = _wrong(recordings, shown(name), known)
        except UserError as unlisted:
            found[shown(name)] = shown(str(unlisted))
    return found


def _wrong(recordings: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    what_to_do = f"did you mean {near[0]!r}? Rename" if near else "rename"
    return (
        f"{recordings.rstrip('/')}/{name} holds recordings, but no instrument has that name: {what_to_do} the folder, "
        f"write configs/instruments/{name}.yaml, or move it away"
    )


def told(found: dict[str, str]) -> str:
    """What was found, as the end of a line; empty where nothing was."""
    return "".join(f"; {name}: {wrong}" for name, wrong in found.items())
