"""How a command ends: by signals, by readers that end first; nothing is left running or lying about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.interruption import interruptible

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = "interrupted: nothing is lost, the same command resumes"
AT_WORK = "print('at work', flush=True); time.sleep(600)"
PROGRAM = """
import argparse, os, sys, tempfile, threading, time
from common.errors import UserError
from pipeline import command

def work(arguments):
    tempfile.mkdtemp(prefix="beam-")
    {body}
    return 0, {{}}

parser = argparse.ArgumentParser()
parser.set_defaults(handler=work, json={json})
command.leave(command.main(parser, []))
"""


def started(tmp_path: Path, body: str, json: bool = False, **streams: int) -> subprocess.Popen[str]:
    """A command whose verb runs `body`, with a folder of temporary files for itself."""
    (tmp_path / "temporary").mkdir()
    program = PROGRAM.format(body="\n    ".join(body.splitlines()), json=json)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        text=True,
        stdout=streams.get("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )


def signalled(tmp_path: Path, body: str, *signals: signal.Signals) -> tuple[int, str]:
    """The exit code and the messages of a command that is sent signals while it is at work."""
    with started(tmp_path, body) as process:
        assert process.stdout
        assert process.stdout.readline() == "at work\n"
        for one in signals:
            process.send_signal(one)
        _, errors = process.communicate(timeout=60)
    return process.returncode, errors.strip()


def left(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda one: str(int(one))
)
def test_each_signal_that_asks_to_end_ends_cleanly(tmp_path: Path, sent: signal.Signals, code: int):
    assert signalled(tmp_path, AT_WORK, sent) == (code, INTERRUPTED)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "error", ["RuntimeError('KeyboardInterrupt [while running Write]')", "UserError('all exited')"]
)
def test_what_fails_because_of_a_signal_is_an_interruption_and_no_fault(tmp_path: Path, error: str):
    body = f"try:\n    {AT_WORK}\nexcept KeyboardInterrupt:\n    raise {error}"
    assert signalled(tmp_path, body, signal.SIGTERM) == (143, INTERRUPTED)


def test_further_signals_do_not_disturb_the_cleaning_up(tmp_path: Path):
    body = f"try:\n    {AT_WORK}\nfinally:\n    time.sleep(1)\n    print('closed', file=sys.stderr)"
    code, errors = signalled(tmp_path, body, signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    assert code in (130, 143, 129)  # which one came first is the system's choice
    assert errors == f"closed\n{INTERRUPTED}"
    assert left(tmp_path) == []


def test_threads_that_go_on_do_not_keep_the_process(tmp_path: Path):
    body = "threading.Thread(target=time.sleep, args=(600,)).start()\n" + AT_WORK
    assert signalled(tmp_path, body, signal.SIGTERM) == (143, INTERRUPTED)


def test_signals_that_were_ignored_at_the_start_are_ignored(monkeypatch: pytest.MonkeyPatch):
    """As `nohup` and a shell's background jobs want it."""
    handlers = {signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_IGN}
    before = dict(handlers)
    monkeypatch.setattr(signal, "getsignal", handlers.__getitem__)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    with interruptible() as interruption:
        assert handlers == {**before, signal.SIGTERM: interruption.handle}
    assert handlers == before


def test_a_killed_commands_files_are_removed_by_the_next_one(tmp_path: Path):
    with started(tmp_path, AT_WORK) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    assert len(left(tmp_path)) == 1
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    program = PROGRAM.format(body="pass", json=False)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True)
    assert left(tmp_path) == []


@pytest.mark.parametrize("lines", [1, 100_000], ids=["a line", "more than a pipe holds"])
@pytest.mark.parametrize("json", [False, True])
def test_a_reader_that_ends_first_costs_no_traceback(tmp_path: Path, lines: int, json: bool):
    reading, writing = os.pipe()
    with started(tmp_path, f"time.sleep(1)\nfor _ in range({lines}): print('line')", json, stdout=writing) as process:
        os.close(writing)
        os.close(reading)
        _, errors = process.communicate(timeout=60)
    assert errors == ""
    assert process.returncode == 141
    assert left(tmp_path) == []


def test_a_pipe_that_breaks_elsewhere_is_not_taken_for_a_reader_that_ended(tmp_path: Path):
    with started(tmp_path, "raise BrokenPipeError(32, 'Broken pipe')") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "BrokenPipeError" in errors
