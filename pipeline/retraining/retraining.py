"""Continuous training: which instruments have recordings, and whether anything in these is new."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from bundles.publish import versions
from common.errors import UserError
from data.files.listing import fingerprint, input_pattern, list_recordings, resolve
from pipeline.command import BAD_INPUT, DONE, FAULT, REFUSED
from pipeline.configuration.config import Config
from pipeline.configuration.loading import instruments
from pipeline.retraining.unconfigured import told, unconfigured
from pipeline.store.folders import RunFolders
from pipeline.store.lineage import lineage

OVERTIME = 124  # as timeout(1) ends
MEANING = {
    DONE: "done",
    REFUSED: "a gate refused",
    BAD_INPUT: "the recordings or settings must change",
    OVERTIME: "was stopped: the next retraining goes on from there",
}
BY_WEIGHT = (FAULT, BAD_INPUT, REFUSED)


def made_of_these(config: Config, places: RunFolders) -> str | None:
    """The newest version that was pushed, served or not, if it was made of these recordings with these settings.

    A version that was rolled back to counts for nothing here: what the next push is to differ from is the newest.

    Raises:
      UserError: there are no recordings.
    """
    pushed = versions(places.pushed / places.name)
    if not pushed:
        return None
    try:
        traced = lineage(places.output, places.name, pushed[-1])
    except UserError:  # the store was lost or begun anew, and knows nothing of it
        return None
    base = str(places.recordings)
    listing = list_recordings(base, resolve(base, input_pattern(base)).pattern, config.examples.span_window)
    same = traced.data.fingerprint == fingerprint(base, listing) and traced.configuration_hash == config.hash()
    return pushed[-1] if same else None


def retrain_all(
    program: Path, recordings: Path, output: Path, overrides: Sequence[str], minutes: float | None = None
) -> dict[str, int]:
    """Retrain every instrument that has a folder of recordings, one after another, each in a process of its own.

    What is wrong with one of them does not keep the others from being trained, not even one that never ends: each may
    take an equal share of the time that is left.

    Args:
      program: the command line whose verb `retrain` does it for one.
      recordings: folder that holds one folder an instrument.
      output: folder of all results.
      overrides: `a.b=value`, for all of them.
      minutes: for all of them together; None sets no limit.

    Returns:
      Exit codes by name; also of folders of recordings that no instrument has, which is one of bad input.

    Raises:
      UserError: no instrument has a folder of recordings, or there is no time at all.
    """
    if minutes is not None and not minutes > 0:
        raise UserError(f"--minutes {minutes:g}: must be more than 0: it is the time of all instruments together")
    names = [name for name in instruments() if _holds_anything(recordings / name)]
    strangers = unconfigured(str(recordings))
    if not names:
        raise UserError(
            f"{recordings}: no recordings of any instrument there: put them into NAME/span-N/; "
            f"instruments with a configuration: {', '.join(instruments())}{told(strangers)}"
        )
    settings = [argument for override in overrides for argument in ("--set", override)]
    end = None if minutes is None else time.monotonic() + 60 * minutes
    ended = {}
    for place, name in enumerate(names):
        print(f"== {name}", flush=True)
        share = None if end is None else max(0.0, end - time.monotonic()) / (len(names) - place)
        places = ["--recordings", str(recordings), "--output", str(output)]
        command = [sys.executable, str(program), "retrain", "--instrument", name, *places, *settings]
        ended[name] = _exit_code(command, share)
        if ended[name] == OVERTIME and share is not None:
            print(f"fault: {name}: {_stopped(share, output / name / 'run.log')}", file=sys.stderr)
    for name, wrong in strangers.items():  # at the end, where it is read
        print(f"error: {name}: {wrong}", file=sys.stderr)
        ended[name] = BAD_INPUT
    return ended


def _exit_code(command: Sequence[str], seconds: float | None) -> int:
    """Of a process, which is ended where it takes longer, or where this one is: nothing of it works on."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return OVERTIME
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it started, such as a browser: a run may be killed at any moment."""
    if process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)  # before it is gone, and they are nobody's
        process.kill()
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


def _stopped(seconds: float, log: Path) -> str:
    return (
        f"had not ended after {seconds / 60:.3g} minutes, its share of --minutes, and was stopped: the next retraining "
        f"goes on from there; {log} says where it was"
    )


def meaning(code: int) -> str:
    """An exit code in words."""
    return MEANING.get(code, "a fault")


def worst(codes: Iterable[int]) -> int:
    """The exit code of many: a fault before bad input, before a refusal. A code of any other meaning is a fault."""
    known = [code if code in (DONE, *BY_WEIGHT) else FAULT for code in codes]
    return next((code for code in BY_WEIGHT if code in known), DONE)


def _holds_anything(folder: Path) -> bool:
    return folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir())
