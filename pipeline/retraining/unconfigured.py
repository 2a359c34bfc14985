"""Folders of recordings that no instrument has: a misspelt folder would otherwise never be trained, unnoticed."""

from __future__ import annotations

import difflib

from common.errors import UserError
from data.analysis import printable_name
from data.files.listing import holds_recordings, subfolders
from pipeline.configuration.loading import instruments


def unconfigured(recordings: str) -> dict[str, str]:
    """Find folders of recordings beside those of known instruments; hidden folders are left out.

    Args:
      recordings: folder or URI that holds one folder an instrument.

    Returns:
      By name of the folder, what is wrong with it and what to do; also of a folder that cannot be listed.

    Raises:
      UserError: `recordings` itself cannot be listed.
    """
    known = instruments()
    found = {}
    for name in subfolders(recordings):
        if name in known:
            continue
        try:
            if holds_recordings(recordings, name):
                found[printable_name(name)] = _wrong(recordings, printable_name(name), known)
        except UserError as unlisted:
            found[printable_name(name)] = printable_name(str(unlisted))
    return found


def _wrong(recordings: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    what_to_do = f"did you mean {near[0]!r}? Rename" if near else "rename"
    return (
        f"{recordings.rstrip('/')}/{name} holds recordings, but no instrument has that name: {what_to_do} the folder, "
        f"write configs/instruments/{name}.yaml, or move it away"
    )


def as_text(found: dict[str, str]) -> str:
    """Format what was found as the end of a line; empty where nothing was."""
    return "".join(f"; {name}: {wrong}" for name, wrong in found.items())
