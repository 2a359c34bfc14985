"""Temporary files of a process are gone with it, or with the next one where it was killed; others' are not touched."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.processes.temporary import LOCK, own_folder, remove_abandoned, temporary_files_together

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys, time
from pathlib import Path
from common.processes.temporary import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(base: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process at work in a folder of its own."""
    command = [sys.executable, "-c", HOLD, str(base)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_a_folder_is_gone_with_all_that_it_holds_whatever_ends_the_block(tmp_path: Path):
    def work() -> None:
        with own_folder(tmp_path) as folder:
            (folder / "deep" / "er").mkdir(parents=True)
            (folder / "deep" / "er" / "file").write_bytes(b"x")
            (folder / "link").symlink_to(tmp_path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_and_that_of_a_living_one_stays(tmp_path: Path):
    with holder(tmp_path) as (killed, left), holder(tmp_path) as (_, held):
        killed.kill()
        killed.wait()
        assert (left / "deep" / "file").exists()
        with own_folder(tmp_path) as mine:
            assert sorted(tmp_path.iterdir()) == sorted([held, mine])
        assert (held / "deep" / "file").exists()


def test_folders_that_are_not_provably_ours_are_not_touched(tmp_path: Path):
    mine = tmp_path / "swara-recordings"
    mine.mkdir()
    (mine / "song.wav").write_bytes(b"x")
    linked = tmp_path / "swara-linked"
    linked.mkdir()
    (linked / LOCK).symlink_to(mine / "song.wav")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / LOCK).touch()
    (tmp_path / "swara-elsewhere").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "swara-file").touch()
    remove_abandoned(tmp_path)
    assert len(list(tmp_path.iterdir())) == 5
    assert (mine / "song.wav").exists()
    assert (tmp_path / "elsewhere" / LOCK).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_a_folder_of_another_user_is_not_touched(tmp_path: Path):
    others = tmp_path / "swara-others"
    others.mkdir()
    (others / LOCK).touch()
    os.chown(others, 12345, 12345)
    remove_abandoned(tmp_path)
    assert (others / LOCK).exists()
    os.chown(others, 0, 0)
    remove_abandoned(tmp_path)
    assert not others.exists()


def test_a_removal_that_was_cut_off_is_completed_by_the_next(tmp_path: Path):
    half = tmp_path / "swara-half"
    half.mkdir()
    (half / LOCK).touch()  # it is removed last
    remove_abandoned(tmp_path)
    assert not half.exists()


def test_libraries_and_started_processes_put_their_files_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    show = [sys.executable, "-c", "import tempfile; print(tempfile.mkdtemp())"]
    with temporary_files_together():
        [folder] = tmp_path.iterdir()
        assert Path(tempfile.mkdtemp()).parent == folder
        assert Path(subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip()).parent == folder
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(tmp_path)


def test_where_none_can_be_made_commands_without_temporary_files_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    missing = str(tmp_path / "missing")
    monkeypatch.setattr(tempfile, "tempdir", missing)
    with temporary_files_together():
        assert tempfile.gettempdir() == missing
