"""KerasTuner's trials as rows of a table: one for each configuration, whose trials are one for each rung."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras_tuner.engine.trial import Trial, TrialStatus

from components.size_tuner.oracle import CONFIGURATION, LOSS, RUNG, HalvingOracle
from components.size_tuner.pareto import REFERENCE, TrialRow
from models.network.search_space import ReferenceConfig

ERROR_FILE = "error.txt"  # in a trial's folder


def trial_rows(
    oracle: HalvingOracle, reference: ReferenceConfig | None, trial_folder: Callable[[str], str]
) -> tuple[list[TrialRow], TrialRow | None]:
    """List all configurations in the order in which they were tried, and the reference where there is one.

    Args:
      oracle: that holds the trials.
      reference: sizes of the reference.
      trial_folder: returns the folder of a trial by its id.
    """
    by_configuration: dict[str, list[Trial]] = {}
    for trial_id in sorted(oracle.trials):
        trial = oracle.trials[trial_id]
        by_configuration.setdefault(trial.hyperparameters.values[CONFIGURATION], []).append(trial)
    rows = {}
    for name, trials in by_configuration.items():
        last = trials[-1]
        sizes = _sizes(name, last.hyperparameters.values, reference)
        status = _status(last, oracle.last_rung)
        rows[name] = _with_results(TrialRow(name, status, sizes, error=_error(last, trial_folder)), trials)
    of_reference = rows.pop(REFERENCE, None)
    return list(rows.values()), of_reference


def _with_results(row: TrialRow, trials: list[Trial]) -> TrialRow:
    """Add the results of a configuration's trials, one for each rung, where any has completed."""
    done = [trial for trial in trials if trial.status == TrialStatus.COMPLETED]
    if not done:
        return row
    metrics = [{key: trial.metrics.get_best_value(key) for key in trial.metrics.metrics} for trial in done]
    last = metrics[-1]
    return dataclasses.replace(
        row,
        steps=int(last["steps"]),
        losses={int(of_rung["steps"]): of_rung[LOSS] for of_rung in metrics},
        parameters=int(last["parameters"]),
        raw_bytes=int(last["raw_bytes"]),
        gzip_bytes=int(last["gzip_bytes"]),
        multiply_adds_per_frame=last["multiply_adds_per_frame"],
        real_time_factor=last["real_time_factor"],
        seconds=last["seconds"],
    )


def _sizes(name: str, values: dict[str, Any], reference: ReferenceConfig | None) -> dict[str, Any]:
    """Drop the oracle's own values; KerasTuner gives the reference some of its own, which mean nothing."""
    if name == REFERENCE and reference is not None:
        sizes = reference.model_dump()
        return {**sizes.pop("decoder"), **sizes, "inputs": "+".join(sizes["inputs"])}
    return {key: value for key, value in values.items() if "/" not in key}


def _error(trial: Trial, trial_folder: Callable[[str], str]) -> str | None:
    if trial.status != TrialStatus.FAILED:
        return None
    path = f"{trial_folder(trial.trial_id)}/{ERROR_FILE}"
    if not tf.io.gfile.exists(path):
        return trial.message
    with tf.io.gfile.GFile(path, "r") as file:
        return str(file.read())


def _status(trial: Trial, last_rung: int) -> str:
    if trial.status == TrialStatus.FAILED:
        return "failed"
    if trial.status != TrialStatus.COMPLETED:
        return "running"
    return "finished" if trial.hyperparameters.values[RUNG] == last_rung else "stopped"
