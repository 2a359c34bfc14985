"""Pushes to a disk that is full: `python -m tests.bundles.full_disk DISK FOLDER`."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bundles.manifest import check_files, load
from bundles.publish import publish, served_version, versions
from common.errors import UserError
from tests.bundles.small_bundle import write_small_bundle

NOON = datetime(2025, 4, 5, 12, 0, 0, tzinfo=timezone.utc)


def fill(path: Path, leave: int) -> None:
    """Leaves that many bytes free."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(path.parent).free - leave)


def main(disk: Path, elsewhere: Path) -> None:
    """Pushes a version, then another one with less and less that is free, then with enough."""
    write_small_bundle(elsewhere / "old")
    write_small_bundle(elsewhere / "new", gain=0.75)
    old = publish(elsewhere / "old", disk / "pushed", NOON).version
    for leave in (0, 4096, 8192, 16384):
        fill(disk / "filler", leave)
        with pytest.raises(UserError, match=r"cannot publish: No space left on device \(.*/pushed/"):
            publish(elsewhere / "new", disk / "pushed", NOON + timedelta(hours=1))
        folder = disk / "pushed" / "violin"
        assert versions(folder) == [old] == [served_version(folder)]
        check_files(folder / old, load(folder / old))
        assert [path.name for path in folder.glob(".*")] == [".lock"]
        (disk / "filler").unlink()
    new = publish(elsewhere / "new", disk / "pushed", NOON + timedelta(hours=2))
    assert served_version(disk / "pushed" / "violin") == new.version != old
    print("served", new.version)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
