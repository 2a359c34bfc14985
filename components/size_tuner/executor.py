"""The executor of SizeTuner: searches, measures trials that finished, writes the choice and all trials."""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from keras_tuner.src.distribute import utils as processes
from tfx import types
from tfx.components.trainer.fn_args_utils import FnArgs, get_common_fn_args
from tfx.components.tuner import executor as stock
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils, standard_component_specs

from components.size_tuner.exporting import exported_size
from components.size_tuner.job import SearchJob
from components.size_tuner.oracle import CONFIGURATION
from components.size_tuner.pareto import PARETO_FILE, REFERENCE, Point, TrialRow, frontier, smallest_within
from components.size_tuner.tuner import SizeSearch, tuner_fn
from components.size_tuner.workers import search_together
from data.windows.examples import split_files
from models.baseline import BASELINE_FEATURES, BASELINE_WINDOWS, fit_baseline
from models.dataset_summary import DatasetSummary, summarise_dataset
from models.instrument import Instrument
from models.quality.judged import judged_examples, mean_visqol
from models.saved_model import signatures
from models.training.loop import load_best_weights
from models.training.window_store import read_windows

TASK_FILE = "task.json"
ORIGINALS = "originals"  # the input with examples before Transform
REFERENCE_FACTS = ("loss", "parameters", "raw_bytes", "gzip_bytes", "steps")


class Executor(base_executor.BaseExecutor):
    """Runs the search and writes the chosen sizes, TFX's results and `pareto.json`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Search; see `tfx.components.tuner.executor.Executor.Do`."""
        # No temporary folder: the state of the search is kept where another execution can go on with it.
        fn_args = get_common_fn_args(input_dict, exec_properties, working_dir="")
        tuner, job = search(fn_args)
        results = Path(artifact_utils.get_single_uri(output_dict[standard_component_specs.TUNER_RESULTS_KEY]))
        judged = [
            serialized
            for artifact in input_dict.get(ORIGINALS, [])
            for serialized in judged_examples(split_files(artifact_utils.get_split_uri([artifact], "eval")))
        ]
        rows, reference = _measured(tuner, job, *tuner.rows(), fn_args, judged, results / REFERENCE)
        winner = smallest_within(rows, reference, job.tuner.tolerance)
        tuner.choose(winner, _facts(reference))
        stock.write_best_hyperparameters(tuner, output_dict)
        with tf.io.gfile.GFile(str(results / PARETO_FILE), "w") as file:
            file.write(json.dumps(table(rows, reference, winner, job.tuner.tolerance), indent=1))
        tuner.forget_others()


def search(fn_args: FnArgs) -> tuple[SizeSearch, SearchJob]:
    """Run all trials, in this process or with workers."""
    job = SearchJob.model_validate(fn_args.custom_config)
    made = tuner_fn(fn_args)
    tuner = made.tuner
    assert isinstance(tuner, SizeSearch)
    on_a_cluster = processes.is_chief_oracle()  # of workers that others start
    if tuner.oracle.ended or (job.tuner.workers == 1 and not on_a_cluster):
        tuner.search(**made.fit_kwargs)
        return tuner, job
    task = f"{job.checkpoint_root if on_a_cluster else tuner.project_dir}/{TASK_FILE}"
    given = {"train_files": fn_args.train_files, "eval_files": fn_args.eval_files}
    with tf.io.gfile.GFile(task, "w") as file:
        file.write(json.dumps({**given, "custom_config": fn_args.custom_config}))
    if on_a_cluster:
        tuner.search(**made.fit_kwargs)
        return tuner, job
    search_together(task, job.tuner.workers)
    return tuner_fn(fn_args).tuner, job  # anew, with the trials of the workers


def table(rows: Sequence[TrialRow], reference: TrialRow | None, winner: TrialRow, tolerance: float) -> dict[str, Any]:
    """Make the contents of `pareto.json`."""
    return {
        "trials": [_json(row) for row in rows],
        "reference": _json(reference) if reference else None,
        "winner": winner.trial,
        "frontier": [point.name for point in frontier(_finished(rows))],
        "tolerance": tolerance,
    }


def _json(row: TrialRow) -> dict[str, Any]:
    return {**dataclasses.asdict(row), "loss": row.loss}


def _finished(rows: Sequence[TrialRow]) -> list[Point]:
    return [
        Point(row.trial, row.gzip_bytes, row.loss)
        for row in rows
        if row.status == "finished" and row.gzip_bytes and row.loss is not None
    ]


def _facts(reference: TrialRow | None) -> dict[str, float]:
    """Collect the reference's figures, which the Trainer passes on to the Evaluator."""
    if reference is None or reference.status != "finished":
        return {}
    return {f"reference/{name}": float(getattr(reference, name)) for name in REFERENCE_FACTS}


def _measured(
    tuner: SizeSearch,
    job: SearchJob,
    rows: Sequence[TrialRow],
    reference: TrialRow | None,
    fn_args: FnArgs,
    judged: Sequence[bytes],
    kept: Path,
) -> tuple[list[TrialRow], TrialRow | None]:
    """Measure the true bundles, and the sound, of all rows that finished, of which one is chosen, and of the reference.

    The reference's SavedModel is kept, so that the report can play it beside the winner.
    """
    windows = list(read_windows(fn_args.train_files, job.audio, BASELINE_FEATURES).sample(BASELINE_WINDOWS))
    train, evaluation = (Path(files[0]).parent for files in (fn_args.train_files, fn_args.eval_files))

    @functools.cache
    def dataset(with_power: bool) -> DatasetSummary:
        return summarise_dataset(train, evaluation, job.audio.window_seconds, with_power)

    def measured(row: TrialRow, folder: Path) -> TrialRow:
        instrument = _trained(tuner, job, row)
        signatures.save(
            instrument,
            transform_graph=fn_args.transform_graph_path,
            baseline=fit_baseline(windows, instrument.graph),
            loss=job.loss,
            folder=str(folder),
            training={"eval_loss": row.loss, "steps": row.steps},
        )
        raw, compressed = exported_size(folder, job, dataset("rms" in instrument.model.inputs))
        visqol = mean_visqol(str(folder), judged, job.audio.sample_rate)
        return dataclasses.replace(row, raw_bytes=raw, gzip_bytes=compressed, exact=True, visqol=visqol)

    def true_size(row: TrialRow) -> TrialRow:
        if row.status != "finished":
            return row
        try:
            with tempfile.TemporaryDirectory(prefix="swara-finished-") as scratch:
                return measured(row, Path(scratch) / row.trial)
        except (ValueError, KeyError, RuntimeError, tf.errors.OpError) as error:
            logging.exception("trial %s was trained and cannot be exported", row.trial)
            return dataclasses.replace(row, status="failed", error=f"it cannot be exported: {error}")

    if reference is not None and reference.status == "finished":
        reference = measured(reference, kept)
    return [true_size(row) for row in rows], reference


def _trained(tuner: SizeSearch, job: SearchJob, row: TrialRow) -> Instrument:
    instrument = Instrument(tuner.model_of({**row.hyperparameters, CONFIGURATION: row.trial}), job.audio)
    instrument.set_weights(load_best_weights(tuner.checkpoints(row.trial)))
    return instrument
