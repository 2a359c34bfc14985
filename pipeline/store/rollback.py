"""Serve an earlier version of a published instrument again. The files themselves are the business of `bundles`."""

from __future__ import annotations

from pathlib import Path

from bundles.publish import Published, serve
from pipeline.store.lookup import find_published


def rollback(output: Path, name: str, version: str) -> Published:
    """Make an earlier version the one that is served; every other version stays.

    Raises:
      UserError: an unknown instrument or version, a damaged version, or a folder that cannot be written. The version
        that was served before is still served then.
    """
    return serve(find_published(output, name).pushed, name, version)
