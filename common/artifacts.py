"""Folders inside TFX's artifacts, for code that reads them without TFX."""

from __future__ import annotations

from pathlib import Path


def serving_folder(artifact_uri: str | Path) -> Path:
    """Return the folder of a `Model` artifact that holds what is served: a SavedModel, or the exporter's bundle."""
    return Path(artifact_uri) / "Format-Serving"
