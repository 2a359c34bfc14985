"""What lies in a folder of recordings is taken as it is meant, or the folder is refused."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from components.recording_example_gen.listing import input_pattern, resolve
from models.errors import UserError


def recording(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")


@pytest.mark.parametrize("as_uri", [False, True])
def test_two_spans_of_one_number_are_refused_by_name(tmp_path: Path, as_uri: bool):
    for span in ("span-1", "span-01", "span-2"):
        recording(tmp_path / span / "a.wav")
    base = tmp_path.as_uri() if as_uri else str(tmp_path)
    for look in (lambda: input_pattern(base), lambda: resolve(base, "span-{SPAN}/*")):
        with pytest.raises(UserError, match="span-01 and span-1 have one number"):
            look()


def test_two_versions_of_one_number_are_refused_by_name(tmp_path: Path):
    for version in ("version-3", "version-003"):
        recording(tmp_path / "span-1" / version / "a.wav")
    with pytest.raises(UserError, match="span-1/version-003 and span-1/version-3 have one number"):
        input_pattern(str(tmp_path))


def test_an_empty_folder_of_the_same_number_is_no_span(tmp_path: Path):
    recording(tmp_path / "span-1" / "a.wav")
    (tmp_path / "span-01").mkdir()
    assert resolve(str(tmp_path), input_pattern(str(tmp_path))).pattern == "span-1/*"


def test_a_folder_that_cannot_be_looked_into_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By a stand-in: to the superuser, whom tests may run as, every folder is readable."""
    recording(tmp_path / "span-1" / "a.wav")
    recording(tmp_path / "span-2" / "a.wav")
    scandir = os.scandir

    def denied(place: str) -> Any:
        if Path(place) == shut:
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", denied)
    for shut in (tmp_path, tmp_path / "span-2"):
        with pytest.raises(UserError, match=f"^{shut}: cannot be looked into: Permission denied"):
            input_pattern(str(tmp_path))
