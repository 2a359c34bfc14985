"""Continuous training: which instruments have recordings, and whether anything in these is new."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from components.bundle_pusher.publish import versions
from components.recording_example_gen.listing import fingerprint, input_pattern, list_recordings, resolve
from models.errors import UserError
from pipeline.command import BAD_INPUT, DONE, FAULT, REFUSED
from pipeline.config import Config, Places, instruments
from pipeline.lineage import lineage

MEANING = {DONE: "done", REFUSED: "a gate refused", BAD_INPUT: "the recordings or settings must change"}
BY_WEIGHT = (FAULT, BAD_INPUT, REFUSED)


def made_of_these(config: Config, places: Places) -> str | None:
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


def retrain_all(program: Path, recordings: Path, output: Path, overrides: Sequence[str]) -> dict[str, int]:
    """Retrains every instrument that has a folder of recordings, one after another, each in a process of its own.

    What is wrong with one of them does not keep the others from being trained.

    Args:
      program: the command line whose verb `retrain` does it for one.
      recordings: folder that holds one folder an instrument.
      output: folder of all results.
      overrides: `a.b=value`, for all of them.

    Returns:
      Exit codes by name.

    Raises:
      UserError: no instrument has a folder of recordings.
    """
    names = [name for name in instruments() if _holds_anything(recordings / name)]
    if not names:
        raise UserError(
            f"{recordings}: no recordings of any instrument there: put them into NAME/span-N/; "
            f"instruments with a configuration: {', '.join(instruments())}"
        )
    settings = [argument for override in overrides for argument in ("--set", override)]
    ended = {}
    for name in names:
        print(f"== {name}", flush=True)
        places = ["--recordings", str(recordings), "--output", str(output)]
        command = [sys.executable, str(program), "retrain", "--instrument", name, *places, *settings]
        ended[name] = subprocess.run(command, check=False).returncode
    return ended


def meaning(code: int) -> str:
    """An exit code in words."""
    return MEANING.get(code, "a fault")


def worst(codes: Iterable[int]) -> int:
    """The exit code of many: a fault before bad input, before a refusal. A code of no known meaning is a fault."""
    known = [code if code in MEANING else FAULT for code in codes]
    return next((code for code in BY_WEIGHT if code in known), DONE)


def _holds_anything(folder: Path) -> bool:
    return folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir())
