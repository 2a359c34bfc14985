"""Run an instrument's pipeline on this machine: one run at a time, with progress, a log and an outcome."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import Stopped, UserError
from common.patterns import check_no_pattern
from common.progress import RecordingProgress
from common.text import shown
from common.verdict import GateRefused, Verdict
from components.size_tuner.pareto import PARETO_FILE
from data.ingest_report import IngestReport
from pipeline.configuration.config import Config
from pipeline.local.terminal import logged
from pipeline.store.folders import RunFolders

if TYPE_CHECKING:
    from pipeline.local.outcome import Outcome

NO_SPACE = ("No space left on device", "Disk quota exceeded", "disk is full")  # of the system, and of SQLite


@contextlib.contextmanager
def only_run(folders: RunFolders) -> Iterator[None]:
    """Hold the instrument's output folder for one run.

    Raises:
      UserError: another run has it, or the folder cannot be written.
    """
    folder = folders.output / folders.name
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
                f"{folder}: another run of {folders.name} is using it: wait for its end or choose another --output"
            ) from None
        yield


def run(config: Config, folders: RunFolders) -> Outcome:
    """Run every stage, write the report and return the outcome.

    Raises:
      UserError: bad recordings, settings or folders.
      GateRefused: a gate stopped the run; the report gives the reasons.
      Stopped: any other failure, with the log that holds its traceback.
    """
    _check_paths(config, folders)
    with only_run(folders), logged(folders.output / folders.name) as log:
        try:
            _run_stages(config, folders)
            return _reported(config, folders)
        except KeyboardInterrupt:
            raise
        except Exception as error:
            logging.exception("the run ended early")
            known = _cause(error) or _no_space(error, folders.output)
            if isinstance(known, GateRefused):
                _reported(config, folders, known.verdict)
            raise (known or Stopped(error, log)) from None


def check(config: Config, recordings: Path) -> IngestReport:
    """Report what is wrong with recordings without training; progress goes to standard error."""
    from data.check import check as check_recordings

    report = check_recordings(recordings, config.extraction, RecordingProgress())
    if not report.would_run:
        return report
    missing = config.data_gate.too_few({"train": report.train_windows, "eval": report.eval_windows})
    return dataclasses.replace(report, refusals=tuple(missing))


def _check_paths(config: Config, folders: RunFolders) -> None:
    """Raise UserError for missing files and impossible paths before the first stage, and not after the last."""
    check_no_pattern("--output", str(folders.output), os.path.realpath(folders.output))
    if not os.path.isdir(folders.recordings):  # unlike Path's, false for what no path can be
        raise UserError(
            f"{folders.recordings}: no such folder of recordings: put wav, flac, ogg, mp3 or aiff files there or name "
            "another one with --recordings"
        )
    if config.report.voice is not None and not os.path.isfile(config.report.voice):
        raise UserError(
            f"report.voice: {shown(config.report.voice)}: no such file: give the path of a voice clip, or null"
        )


def _reported(config: Config, folders: RunFolders, refusal: Verdict | None = None) -> Outcome:
    from pipeline.local.outcome import read_outcome
    from pipeline.report import write_report

    outcome = read_outcome(folders, refusal)
    write_report(config, folders, outcome)
    if outcome.sweep:
        _keep_sweep(config, folders, outcome.sweep)
    return outcome


def _keep_sweep(config: Config, folders: RunFolders, sweep: Mapping[str, Any]) -> None:
    """Write the sizes that were tried beside the report, and the choice as settings for runs to come."""
    import yaml

    from models.network.sizes import resized
    from pipeline.local.outcome import SIZES_FILE

    folders.report.with_name(PARETO_FILE).write_text(json.dumps(sweep, indent=1), encoding="utf-8")
    winner = next(trial for trial in sweep["trials"] if trial["trial"] == sweep["winner"])
    model = resized(config.model, winner["hyperparameters"]).model_dump(mode="json")
    folders.report.with_name(SIZES_FILE).write_text(
        f"# The choice of a sweep. In configs/instruments/{folders.name}.yaml these settings hold for every run.\n"
        + yaml.safe_dump({"model": model}, sort_keys=False),
        encoding="utf-8",
    )


def _run_stages(config: Config, folders: RunFolders) -> None:
    from pipeline.local.blessed import compared
    from pipeline.local.readiness import check_ready
    from pipeline.store.moved import settle
    from pipeline.store.records import check_store

    check_store(folders.metadata, folders.pipeline_root)  # before TFX is imported, which takes long
    if folders.metadata.exists() and folders.metadata.stat().st_size:
        settle(folders)
    config = compared(config, folders)
    check_ready(config, folders)

    from tfx.orchestration.local.local_dag_runner import LocalDagRunner
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    from pipeline.local.cache_keys import keys_without_paths
    from pipeline.pipeline import create_pipeline

    pipeline = create_pipeline(
        config,
        recordings=str(folders.recordings.resolve()),
        pipeline_root=str(folders.pipeline_root.resolve()),
        push_destination=str(folders.pushed.resolve()),
        checkpoint_root=str((folders.output / folders.name / "checkpoints").resolve()),
        metadata=sqlite_metadata_connection_config(str(folders.metadata.resolve())),
    )
    with keys_without_paths(folders):
        LocalDagRunner().run(pipeline)


def _no_space(error: BaseException, output: Path) -> UserError | None:
    """Return an error that names the full disk, where that is the message of an exception of whatever kind."""
    if not any(message in str(error) for message in NO_SPACE):
        return None
    free = (
        f"{folder}: {shutil.disk_usage(folder).free // 1_000_000:,} MB free"
        for folder in (output, tempfile.gettempdir())
    )
    return UserError(
        f"no space was left on a disk ({', '.join(free)}): free some and run again. Finished stages are kept and not "
        "run again; the version that was served is still served"
    )


def _cause(error: BaseException | None) -> UserError | GateRefused | None:
    """Return the user's mistake or the refusal that a runner or Beam wrapped, if there is one."""
    while error is not None:
        if isinstance(error, UserError | GateRefused):
            return error
        error = error.__cause__ or error.__context__
    return None
