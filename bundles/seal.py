"""Complete a bundle: model card and manifest, which lists every file with its hash."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bundles.card import model_card
from bundles.manifest import CARD_FILE, MANIFEST_FILE, Manifest, check_schema, describe_file, dumps


def seal(folder: Path, manifest: Mapping[str, Any]) -> Manifest:
    """Write model card and manifest, which lists every file of the folder.

    Raises:
      InvalidBundle: the manifest does not follow the schema; nothing but the card was written.
    """
    (folder / CARD_FILE).write_text(model_card(dict(manifest)), encoding="utf-8")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    sealed = {**manifest, "files": [describe_file(folder, name) for name in names if name != MANIFEST_FILE]}
    check_schema(sealed, str(folder / MANIFEST_FILE))
    (folder / MANIFEST_FILE).write_bytes(dumps(sealed))
    return sealed
