"""Every instrument with recordings is retrained in its turn, and a fault of one does not stop the others."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import local_runner
from common.errors import UserError
from pipeline.retraining.retrain_all import retrain_all, worst

ROOT = Path(__file__).resolve().parents[3]
STUB = """
import json, pathlib, subprocess, sys
name = sys.argv[sys.argv.index("--instrument") + 1]
with open(pathlib.Path(__file__).with_name("calls"), "a") as file:
    file.write(json.dumps(sys.argv[1:]) + chr(10))
if "hangs=" + name in sys.argv:
    worker = subprocess.Popen(["sleep", "600"], start_new_session=True)
    pathlib.Path(__file__).with_name("worker").write_text(str(worker.pid))
    worker.wait()
sys.exit({"demo": 0, "oboe": 3, "violin": 0}[name])
"""


def recording(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A command line that stands in for `local_runner.py`, beside recordings of two instruments."""
    path = tmp_path / "program.py"
    path.write_text(STUB)
    for name in ("violin", "oboe"):
        recording(tmp_path / "in" / name / "span-1" / "a.wav")
    return path


def test_every_instrument_with_recordings_is_retrained_and_a_refusal_of_one_does_not_stop_the_next(
    program: Path, tmp_path: Path
):
    (tmp_path / "in" / "demo").mkdir()  # nothing in it
    exit_codes = retrain_all(program, tmp_path / "in", tmp_path / "out", ["trainer.steps=7"])
    assert exit_codes == {"oboe": 3, "violin": 0}
    calls = (tmp_path / "calls").read_text()
    assert calls.count('"--set", "trainer.steps=7"') == 2
    with pytest.raises(UserError, match="no recordings of any instrument there"):
        retrain_all(program, tmp_path / "nowhere", tmp_path / "out", [])


def test_recordings_without_a_configuration_are_reported_once_the_others_are_trained(
    program: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    recording(tmp_path / "in" / "Voilin" / "span-1" / "a.wav")
    recording(tmp_path / "in" / "notes" / "span-1.txt")  # no recordings
    recording(tmp_path / "in" / ".trash" / "a.wav")
    assert retrain_all(program, tmp_path / "in", tmp_path / "out", []) == {"oboe": 3, "violin": 0, "Voilin": 2}
    [line] = capfd.readouterr().err.splitlines()
    assert line == (
        f"error: Voilin: {tmp_path / 'in' / 'Voilin'} holds recordings, but no instrument has that name: did you mean "
        "'violin'? Rename the folder, write configs/instruments/Voilin.yaml, or move it away"
    )


def test_where_no_recordings_have_a_configuration_those_that_have_none_are_named(program: Path, tmp_path: Path):
    recording(tmp_path / "elsewhere" / "kazoo" / "a.wav")
    with pytest.raises(UserError, match=r"no recordings of any instrument there: .*; kazoo: .*kazoo holds recordings"):
        retrain_all(program, tmp_path / "elsewhere", tmp_path / "out", [])


def ends(pid: int) -> bool:
    """Return whether a process is gone within seconds, or dead and only not waited for."""
    for _ in range(100):
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.05)
                continue
        return True
    return False


def test_an_instrument_that_hangs_is_stopped_and_the_next_has_its_turn(
    program: Path, capfd: pytest.CaptureFixture[str]
):
    folders = program.parent / "in", program.parent / "out"
    assert retrain_all(program, *folders, ["hangs=oboe"], minutes=0.1) == {"oboe": 124, "violin": 0}
    assert ends(int((program.parent / "worker").read_text()))
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("fault: oboe: had not ended after 0.05 minutes, its share of --minutes, and was stopped: ")
    assert f"{program.parent / 'out' / 'oboe' / 'run.log'} shows how far it was" in line


def test_an_instrument_may_take_the_time_that_those_before_it_left_over(program: Path, monkeypatch: pytest.MonkeyPatch):
    now, limits = [1000.0], []

    def exit_code(command: list[str], seconds: float | None) -> int:
        limits.append(seconds)
        now[0] += 600
        return 0

    monkeypatch.setattr("pipeline.retraining.retrain_all.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("pipeline.retraining.retrain_all._exit_code", exit_code)
    recording(program.parent / "in" / "demo" / "span-1" / "a.wav")
    retrain_all(program, program.parent / "in", program.parent / "out", [], minutes=90)
    assert limits == [1800, 2400, 4200]
    limits.clear()
    retrain_all(program, program.parent / "in", program.parent / "out", [])
    assert limits == [None] * 3


def test_an_interruption_of_the_parent_alone_ends_the_instrument_at_work_too(program: Path):
    """So does GitHub where a run is cancelled: what is kept next must not be written to meanwhile."""
    calling = "import sys, pathlib; from pipeline.retraining.retrain_all import retrain_all\n"
    calling += "retrain_all(*map(pathlib.Path, sys.argv[1:4]), ['hangs=oboe'])"
    paths = [str(program.parent / name) for name in ("program.py", "in", "out")]
    command = [sys.executable, "-c", calling, *paths]
    interruptible = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # the caller may ignore the signal
    with subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL, preexec_fn=interruptible
    ) as fleet:
        while not (program.parent / "worker").exists():
            assert fleet.poll() is None
            time.sleep(0.05)
        fleet.send_signal(signal.SIGINT)
        fleet.wait(30)
    assert ends(int((program.parent / "worker").read_text()))
    with pytest.raises(ProcessLookupError):  # of the whole group, nothing is left
        os.killpg(fleet.pid, 0)


@pytest.mark.parametrize("minutes", ["0", "-1", "nan"])
def test_no_time_at_all_is_one_clear_error(minutes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert local_runner.main(["retrain", "--all", "--minutes", minutes, "--recordings", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: --minutes {float(minutes):g}: must be more than 0")


def test_a_limit_for_all_of_one_instrument_is_refused_and_not_ignored(capsys: pytest.CaptureFixture[str]):
    assert local_runner.main(["retrain", "--instrument", "violin", "--minutes", "5"]) == 2
    assert capsys.readouterr().err.startswith("error: --minutes: is shared among all instruments: give it with --all")


@pytest.mark.parametrize(
    ("codes", "code"), [([0, 0], 0), ([], 0), ([0, 3], 3), ([3, 2, 0], 2), ([2, 1, 3], 1), ([0, -9], 1), ([3, 124], 1)]
)
def test_the_most_severe_exit_code_is_that_of_all(codes: list[int], code: int):
    assert worst(codes) == code
