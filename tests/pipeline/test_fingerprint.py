"""The fingerprint of sources sees every edit and nothing else."""

import subprocess
from pathlib import Path

import pytest

from pipeline import fingerprint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    return folder


def test_an_edited_line_changes_it(package: Path):
    before = fingerprint.source_fingerprint("models")
    (package / "a.py").write_text("x = 2\n")
    assert fingerprint.source_fingerprint("models") != before


def test_a_renamed_or_added_file_changes_it(package: Path):
    before = fingerprint.source_fingerprint("models")
    (package / "a.py").rename(package / "b.py")
    renamed = fingerprint.source_fingerprint("models")
    (package / "c.py").write_text("")
    assert len({before, renamed, fingerprint.source_fingerprint("models")}) == 3


def test_caches_and_what_is_not_source_do_not_change_it(package: Path):
    before = fingerprint.source_fingerprint("models")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "a.py").write_text("x = 3\n")
    (package / "notes.txt").write_text("words")
    assert fingerprint.source_fingerprint("models") == before


def test_a_place_that_does_not_exist_is_an_error(package: Path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        fingerprint.source_fingerprint("nowhere")


def test_a_checkout_that_another_repository_ignores_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path / "vendor")
    (tmp_path / "vendor" / "models").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("vendor/\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init",), ("add", "."), (*who, "commit", "-m", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)
    assert fingerprint.source_revision() == "unknown"
