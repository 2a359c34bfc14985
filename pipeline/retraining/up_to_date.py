"""Whether anything in an instrument's recordings or settings is new since its last push."""

from __future__ import annotations

from bundles.publish import versions
from common.errors import UserError
from data.files.listing import fingerprint, input_pattern, list_recordings, resolve
from pipeline.configuration.config import Config
from pipeline.store.folders import RunFolders
from pipeline.store.lineage import lineage


def up_to_date_version(config: Config, folders: RunFolders) -> str | None:
    """Return the newest version that was pushed, served or not, if these recordings and settings made it.

    A version that a rollback serves again does not matter here: the next push is to differ from the newest.

    Raises:
      UserError: there are no recordings.
    """
    pushed = versions(folders.pushed / folders.name)
    if not pushed:
        return None
    try:
        traced = lineage(folders.output, folders.name, pushed[-1])
    except UserError:  # the store was lost or begun anew, and has no record of it
        return None
    base = str(folders.recordings)
    listing = list_recordings(base, resolve(base, input_pattern(base)).pattern, config.examples.span_window)
    same = traced.data.fingerprint == fingerprint(base, listing) and traced.configuration_hash == config.hash()
    return pushed[-1] if same else None
