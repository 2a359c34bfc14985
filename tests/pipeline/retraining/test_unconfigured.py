"""Recordings that no instrument has are named, whatever their folder is called and whoever may read it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.retraining.unconfigured import unconfigured


def test_a_name_that_is_not_text_can_be_printed(tmp_path: Path):
    folder = tmp_path / os.fsdecode(b"fl\xfct")
    folder.mkdir()
    (folder / "a.wav").write_bytes(b"sound")
    [(name, wrong)] = unconfigured(str(tmp_path)).items()
    assert name == "fl\ufffdt"
    assert wrong.encode().decode().startswith(f"{tmp_path}/fl\ufffdt holds recordings, but no instrument has that name")


def test_a_folder_that_cannot_be_listed_is_named_with_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By a stand-in: to the superuser, whom tests may run as, every folder is readable."""
    scandir = os.scandir

    def denied(path: str) -> Any:
        if Path(path) == tmp_path / "shut":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    for name in ("kazoo", "shut", "violin"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wav").write_bytes(b"sound")
    monkeypatch.setattr(os, "scandir", denied)
    found = unconfigured(str(tmp_path))
    assert set(found) == {"kazoo", "shut"}
    assert found["shut"].startswith(f"{tmp_path / 'shut'}: cannot be listed: Permission denied")
