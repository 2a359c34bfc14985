"""Faults of a run's store, folder and disk are one clear line each, and cost nothing that is there."""

from __future__ import annotations

import fcntl
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import local_runner
from pipeline.configuration.loading import load
from pipeline.local.run import check
from pipeline.store.records import check_store
from tests.disks import ROOT, on_disk
from tests.pipeline.store.recorded import Recorder

DIE_WHILE_WRITING = """
import os, signal, sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the end of the transaction
store.execute("BEGIN")
store.execute("DELETE FROM Artifact")
store.execute("CREATE TABLE Half (done TEXT)")
store.executemany("INSERT INTO Half VALUES (?)", [("x" * 1000,)] * 1000)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    (tmp_path / "recordings").mkdir()
    return tmp_path / "recordings"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An intact metadata store beside its artifacts."""
    path = tmp_path / "out" / "demo" / "metadata.sqlite"
    recorder = Recorder(path)
    for number in range(50):
        recorder.artifact("Model", path.parent / "pipeline" / str(number), note="x" * 200)
    (path.parent / "pipeline").mkdir()
    return path


def arguments(output: Path, recordings: Path) -> list[str]:
    return ["run", "--instrument", "demo", "--recordings", str(recordings), "--output", str(output)]


def artifacts(store: Path) -> int:
    with closing(sqlite3.connect(store)) as opened:
        [[count]] = opened.execute("SELECT COUNT(*) FROM Artifact")
    return int(count)


def garbage(whole: bytes) -> bytes:
    return b"no database" * 500


def half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def a_page_of_zeros(whole: bytes) -> bytes:
    return whole[:4096] + bytes(4096) + whole[8192:]


@pytest.mark.parametrize("damage", [garbage, half, a_page_of_zeros])
def test_a_damaged_store_is_one_clear_line_and_is_left_as_it_is(store, recordings, damage, capsys):
    damaged = damage(store.read_bytes())
    store.write_bytes(damaged)
    assert local_runner.main(arguments(store.parents[1], recordings)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {store}: not a readable metadata store (")
    assert line.endswith(f"move {store.parent} away to start anew; what is pushed stays")
    assert store.read_bytes() == damaged


def test_a_store_that_is_gone_is_not_begun_anew_over_what_it_knew(store, recordings, capsys):
    store.unlink()
    assert local_runner.main(arguments(store.parents[1], recordings)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {store}: the metadata store is gone, but its artifacts are still in ")
    assert not store.exists()


def test_a_sound_store_and_one_that_was_hardly_begun_are_gone_on_with(store, tmp_path):
    check_store(store, store.parent / "pipeline")
    check_store(tmp_path / "absent.sqlite", tmp_path / "pipeline")
    (tmp_path / "empty.sqlite").touch()
    check_store(tmp_path / "empty.sqlite", tmp_path / "pipeline")


def test_what_a_killed_process_had_half_written_is_undone(store):
    died = subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, str(store)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert store.with_name("metadata.sqlite-journal").stat().st_size > 0
    check_store(store, store.parent / "pipeline")
    assert artifacts(store) == 50


def test_a_second_run_of_one_instrument_is_refused_while_the_first_one_lives(recordings, tmp_path, capsys):
    lock = tmp_path / "out" / "demo" / "run.lock"
    with subprocess.Popen(
        [sys.executable, "local_runner.py", *arguments(tmp_path / "out", recordings)], cwd=ROOT
    ) as one:
        deadline = time.monotonic() + 60
        while not _held(lock):
            assert one.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert local_runner.main(arguments(tmp_path / "out", recordings)) == 2
        one.kill()
    assert capsys.readouterr().err == (
        f"error: {lock.parent}: another run of demo is using it: wait for its end or choose another --output\n"
    )
    assert not _held(lock), "a dead run holds the folder"


def _held(lock: Path) -> bool:
    if not lock.exists():
        return False
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_read_only_output_folder_is_one_clear_line(recordings, tmp_path):
    ended = on_disk(tmp_path / "out", "ro", "local_runner.py", *arguments(tmp_path / "out", recordings))
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: {tmp_path / 'out' / 'demo'}: cannot be written (Read-only file system): choose another --output\n"
    )


@pytest.mark.soak(part="kills")
def test_a_disk_that_fills_up_while_a_run_works_is_one_clear_line(recordings, tmp_path):
    out = tmp_path / "out"
    unchecked = ("--set", "browser_validator.require_webgl=false")  # whether there is a Chromium or not
    ended = on_disk(out, "size=200k", "local_runner.py", *arguments(out, recordings), *unchecked)
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith(f"error: no space was left on a disk ({out}: 0 MB free, ")
    assert "run again" in last


def test_no_space_for_temporary_files_blames_no_recording(tmp_path):
    from tests.data.sounds import melody, write

    for number in range(2):
        write(tmp_path / "recordings" / f"{number}.wav", melody(8.0, seed=number))
    check = ("local_runner.py", "check", "--recordings", str(tmp_path / "recordings"))
    ended = on_disk(tmp_path / "full", "size=200k", *check, TMPDIR=str(tmp_path / "full"))
    assert ended.returncode == 2
    assert "set aside" not in ended.stdout
    [line] = ended.stderr.splitlines()
    assert line.startswith("error: decoded audio cannot be kept among temporary files (No space left on device)")
    assert str(tmp_path / "full") in line


def test_check_refuses_too_few_windows_as_the_gate_would(tmp_path):
    from tests.data.sounds import melody, write

    for number in range(8):
        write(tmp_path / f"{number}.wav", melody(4.5, seed=number))
    report = check(load("demo", ["examples.min_minutes=0.1"]), tmp_path)
    assert report.train_windows
    assert report.eval_windows
    assert not report.would_run
    assert any("windows" in reason and "are needed" in reason for reason in report.refusals)
