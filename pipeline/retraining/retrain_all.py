"""Retrain every instrument that has recordings, each in a process of its own and within its share of the time."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from common.errors import UserError
from pipeline.command import BAD_INPUT, DONE, FAULT, REFUSED
from pipeline.configuration.loading import instruments
from pipeline.retraining.unconfigured import as_text, unconfigured

OVERTIME = 124  # as of timeout(1)
GRACE_SECONDS = 12.0  # from SIGTERM to SIGKILL: an instrument may have a browser to close
MEANING = {
    DONE: "done",
    REFUSED: "a gate refused",
    BAD_INPUT: "the recordings or settings must change",
    OVERTIME: "was stopped: the next retraining resumes there",
}
BY_SEVERITY = (FAULT, BAD_INPUT, REFUSED)


def retrain_all(
    program: Path, recordings: Path, output: Path, overrides: Sequence[str], minutes: float | None = None
) -> dict[str, int]:
    """Retrain every instrument that has a folder of recordings, one after another, each in a process of its own.

    A fault of one does not keep the others from being trained, not even a run that never ends: each may take an equal
    share of the time that is left.

    Args:
      program: the command line whose verb `retrain` trains one instrument.
      recordings: folder that holds one folder an instrument.
      output: folder of all results.
      overrides: `a.b=value`, for all of them.
      minutes: for all of them together; None sets no limit.

    Returns:
      Exit codes by name; also of folders of recordings that no instrument has, which is that of bad input.

    Raises:
      UserError: no instrument has a folder of recordings, or there is no time at all.
    """
    if minutes is not None and not minutes > 0:
        raise UserError(f"--minutes {minutes:g}: must be more than 0: it is the time of all instruments together")
    names = [name for name in instruments() if _holds_anything(recordings / name)]
    without_instrument = unconfigured(str(recordings))
    if not names:
        raise UserError(
            f"{recordings}: no recordings of any instrument there: put them into NAME/span-N/; "
            f"instruments with a configuration: {', '.join(instruments())}{as_text(without_instrument)}"
        )
    settings = [argument for override in overrides for argument in ("--set", override)]
    end = None if minutes is None else time.monotonic() + 60 * minutes
    exit_codes = {}
    for index, name in enumerate(names):
        print(f"== {name}", flush=True)
        share = None if end is None else max(0.0, end - time.monotonic()) / (len(names) - index)
        folders = ["--recordings", str(recordings), "--output", str(output)]
        command = [sys.executable, str(program), "retrain", "--instrument", name, *folders, *settings]
        exit_codes[name] = _exit_code(command, share)
        if exit_codes[name] == OVERTIME and share is not None:
            print(f"fault: {name}: {_stopped(share, output / name / 'run.log')}", file=sys.stderr)
    for name, wrong in without_instrument.items():  # at the end, where it is read
        print(f"error: {name}: {wrong}", file=sys.stderr)
        exit_codes[name] = BAD_INPUT
    return exit_codes


def _exit_code(command: Sequence[str], seconds: float | None) -> int:
    """Run a process and return its exit code; it is killed where it takes longer, or where this process is stopped."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return OVERTIME
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started, such as a browser: by SIGTERM, then SIGKILL, which costs nothing."""
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)  # listed first: they outlive their parent
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        process.kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def _stopped(seconds: float, log: Path) -> str:
    return (
        f"had not ended after {seconds / 60:.3g} minutes, its share of --minutes, and was stopped: the next retraining "
        f"resumes there; {log} shows how far it was"
    )


def meaning(code: int) -> str:
    """Return the meaning of an exit code, in words."""
    return MEANING.get(code, "a fault")


def worst(codes: Iterable[int]) -> int:
    """Return the most severe exit code: a fault before bad input before a refusal. An unknown code is a fault."""
    known = [code if code in (DONE, *BY_SEVERITY) else FAULT for code in codes]
    return next((code for code in BY_SEVERITY if code in known), DONE)


def _holds_anything(folder: Path) -> bool:
    return folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())
