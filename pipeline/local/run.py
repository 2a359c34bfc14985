"""Runs an instrument's pipeline on this machine: one run at a time, with progress, a log, and an outcome in words."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import Stopped, UserError
from common.verdict import GateRefused, Verdict
from components.size_tuner.pareto import PARETO_FILE
from data.ingest_report import IngestReport
from pipeline.configuration.config import Config
from pipeline.local.terminal import logged
from pipeline.store.folders import RunFolders

if TYPE_CHECKING:
    from pipeline.local.outcome import Outcome

NO_SPACE = ("No space left on device", "Disk quota exceeded", "disk is full")  # the system's words, and SQLite's


@contextlib.contextmanager
def only_run(places: RunFolders) -> Iterator[None]:
    """Hold the instrument's output folder for one run.

    Raises:
      UserError: another run has it, or the folder cannot be written.
    """
    folder = places.output / places.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "run.lock").open("w")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}): choose another --output") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{folder}: another run of {places.name} is using it: wait for its end or choose another --output"
            ) from None
        yield


def run(config: Config, places: RunFolders) -> Outcome:
    """Run every stage, writes the report and says what it all came to.

    Raises:
      UserError: bad recordings, settings or places.
      GateRefused: a gate stopped the run; the report says why.
      Stopped: any other failure, with the log that holds its traceback.
    """
    _check_paths(config, places)
    with only_run(places), logged(places.output / places.name) as log:
        try:
            _run_stages(config, places)
            return _reported(config, places)
        except KeyboardInterrupt:
            raise
        except Exception as error:
            logging.exception("the run ended early")
            known = _cause(error) or _no_space(error, places.output)
            if isinstance(known, GateRefused):
                _reported(config, places, known.verdict)
            raise (known or Stopped(error, log)) from None


def check(config: Config, recordings: Path) -> IngestReport:
    """Say what is wrong with recordings without training; progress goes to standard error."""
    from data.check import check as check_recordings
    from data.progress import ProgressLine

    report = check_recordings(recordings, config.extraction, ProgressLine())
    if not report.would_run:
        return report
    missing = config.data_gate.too_few({"train": report.train_windows, "eval": report.eval_windows})
    return dataclasses.replace(report, refusals=tuple(missing))


def _check_paths(config: Config, places: RunFolders) -> None:
    """What can be known to be missing before the first stage is not found out after the last."""
    if not places.recordings.is_dir():
        raise UserError(
            f"{places.recordings}: no such folder of recordings: put wav, flac, ogg, mp3 or aiff files there or name "
            "another one with --recordings"
        )
    if config.report.voice is not None and not Path(config.report.voice).is_file():
        raise UserError(f"report.voice: {config.report.voice}: no such file: give the path of a voice clip, or null")


def _reported(config: Config, places: RunFolders, refusal: Verdict | None = None) -> Outcome:
    from pipeline.local.outcome import read_outcome
    from pipeline.report import write_report

    outcome = read_outcome(places, refusal)
    write_report(config, places, outcome)
    if outcome.sweep:
        _keep_sweep(config, places, outcome.sweep)
    return outcome


def _keep_sweep(config: Config, places: RunFolders, sweep: Mapping[str, Any]) -> None:
    """Put what was tried beside the report, and the choice as settings for runs to come."""
    import yaml

    from models.network.sizes import resized
    from pipeline.local.outcome import SIZES_FILE

    places.report.with_name(PARETO_FILE).write_text(json.dumps(sweep, indent=1), encoding="utf-8")
    winner = next(trial for trial in sweep["trials"] if trial["trial"] == sweep["winner"])
    model = resized(config.model, winner["hyperparameters"]).model_dump(mode="json")
    places.report.with_name(SIZES_FILE).write_text(
        f"# What a sweep chose. In configs/instruments/{places.name}.yaml these settings hold for every run.\n"
        + yaml.safe_dump({"model": model}, sort_keys=False),
        encoding="utf-8",
    )


def _run_stages(config: Config, places: RunFolders) -> None:
    from pipeline.local.blessed import check_last_blessed
    from pipeline.store.records import check_store

    check_store(places.metadata, places.pipeline_root)  # before TFX is imported, which takes long
    check_last_blessed(places.metadata, config.audio)

    from tfx.orchestration.local.local_dag_runner import LocalDagRunner
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    from pipeline.pipeline import create_pipeline

    made = create_pipeline(
        config,
        recordings=str(places.recordings.resolve()),
        pipeline_root=str(places.pipeline_root.resolve()),
        push_destination=str(places.pushed.resolve()),
        checkpoint_root=str((places.output / places.name / "checkpoints").resolve()),
        metadata=sqlite_metadata_connection_config(str(places.metadata.resolve())),
    )
    LocalDagRunner().run(made)


def _no_space(error: BaseException, output: Path) -> UserError | None:
    """That a disk was full, where a library said so in whatever kind of exception."""
    if not any(words in str(error) for words in NO_SPACE):
        return None
    free = (
        f"{place}: {shutil.disk_usage(place).free // 1_000_000:,} MB free" for place in (output, tempfile.gettempdir())
    )
    return UserError(
        f"no space was left on a disk ({', '.join(free)}): free some and run again. What was done is kept and not done "
        "again; what was served is still served"
    )


def _cause(error: BaseException | None) -> UserError | GateRefused | None:
    """The user's mistake or the refusal that a runner or Beam wrapped, if there is one."""
    while error is not None:
        if isinstance(error, UserError | GateRefused):
            return error
        error = error.__cause__ or error.__context__
    return None
