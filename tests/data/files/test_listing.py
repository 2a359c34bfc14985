"""What lies in a folder of recordings is taken as it is meant, or the folder is refused."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from data.files.listing import input_pattern, resolve


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

    def denied(path: str) -> Any:
        if Path(path) == shut:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    for shut in (tmp_path, tmp_path / "span-2"):
        with pytest.raises(UserError, match=f"^{shut}: cannot be listed: Permission denied"):
            input_pattern(str(tmp_path))


def looks(base: str) -> list[Callable[[], object]]:
    """What `check`, `run` and `retrain` do, and what a cluster does when a run begins there."""
    return [lambda: input_pattern(base), lambda: resolve(base, "span-{SPAN}/*")]


@pytest.mark.parametrize("as_uri", [False, True])
@pytest.mark.parametrize("name", ["span_2", "span-3-new", "Span-2", "span2", "second evening", "span-"])
def test_recordings_beside_the_spans_are_not_passed_over(tmp_path: Path, name: str, as_uri: bool):
    recording(tmp_path / "span-1" / "a.wav")
    recording(tmp_path / "span-4" / "a.wav")
    recording(tmp_path / name / "evening" / "b.FLAC")
    base = tmp_path.as_uri() if as_uri else str(tmp_path)
    for look in looks(base):
        with pytest.raises(UserError) as raised:
            look()
        assert str(raised.value) == (
            f"{base}: {name} holds recordings, but only span-N folders are read there: rename it to span-5, the next "
            "one, put them into one of those, or move it away"
        )


@pytest.mark.parametrize("as_uri", [False, True])
def test_folders_without_recordings_and_hidden_ones_may_lie_beside_the_spans(tmp_path: Path, as_uri: bool):
    recording(tmp_path / "span-1" / "a.wav")
    recording(tmp_path / "notes" / "span-1.txt")
    recording(tmp_path / "span_2" / "read me")
    recording(tmp_path / ".fetching-x" / "span" / "b.wav")
    recording(tmp_path / "notes" / ".trash" / "b.wav")
    recording(tmp_path / "._a.wav")
    (tmp_path / "span-3-new").mkdir()
    base = tmp_path.as_uri() if as_uri else str(tmp_path)
    assert input_pattern(base) == "span-{SPAN}/*"
    assert resolve(base, "span-{SPAN}/*").pattern == "span-1/*"


@pytest.mark.parametrize("as_uri", [False, True])
@pytest.mark.parametrize("name", ["span_2", "Span-2", "SPAN 2", "span2", "span-2-new", "span\u20132", "span--2"])
def test_a_misnamed_span_is_refused_where_there_is_no_other(tmp_path: Path, name: str, as_uri: bool):
    recording(tmp_path / name / "a.wav")
    recording(tmp_path / "another" / "a.wav")
    base = tmp_path.as_uri() if as_uri else str(tmp_path)
    with pytest.raises(UserError) as raised:
        input_pattern(base)
    assert str(raised.value) == (
        f"{base}: {name} holds recordings and looks like a span, but is not named span-N: rename it to span-2, or to "
        "something else if it is none"
    )


def test_folders_that_do_not_look_like_spans_are_one_layout(tmp_path: Path):
    for name in ("spanish 2", "span of a bridge", "wingspan-2", "evening"):
        recording(tmp_path / name / "a.wav")
    recording(tmp_path / "span_2" / "notes.txt")
    assert input_pattern(str(tmp_path)) == "*"


def test_recordings_of_a_kind_that_is_not_read_are_not_passed_over_either(tmp_path: Path):
    recording(tmp_path / "span-1" / "a.wav")
    recording(tmp_path / "span_2" / "b.m4a")
    with pytest.raises(UserError, match="span_2 holds recordings, but only span-N folders are read there"):
        input_pattern(str(tmp_path))


def test_a_misnamed_version_is_refused_where_there_is_no_other(tmp_path: Path):
    recording(tmp_path / "span-1" / "version_1" / "a.wav")
    with pytest.raises(UserError, match=r"version_1 holds recordings and looks like a version, .* to version-1"):
        input_pattern(str(tmp_path))


def test_recordings_beside_the_versions_of_a_span_are_not_passed_over(tmp_path: Path):
    recording(tmp_path / "span-1" / "version-1" / "a.wav")
    for file in ("version_2/b.wav", "b.wav"):
        recording(tmp_path / "span-1" / file)
        with pytest.raises(UserError, match=rf"span-1/{file[:9]}.*version-2|span-1/b\.wav lies beside version-M"):
            input_pattern(str(tmp_path))
        (tmp_path / "span-1" / file).unlink()
    assert input_pattern(str(tmp_path)) == "span-{SPAN}/version-{VERSION}/*"
