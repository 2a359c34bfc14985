"""The search: from rung to rung, whatever happens to single trials, to workers, or to the search itself."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import json_utils

from common.errors import UserError
from components.size_tuner import executor, workers
from components.size_tuner import tuner as module
from components.size_tuner.job import SearchJob
from components.size_tuner.oracle import CONFIGURATION
from components.size_tuner.pareto import TrialRow
from components.size_tuner.tuner import SizeSearch, tuner_fn
from models.instrument import Instrument
from models.training.loop import TrainingDiverged, train
from models.training.window_store import WindowStore
from tests.components.size_tuner.conftest import custom_config

ROOT = Path(__file__).resolve().parents[3]


def search(fn_args: FnArgs) -> SizeSearch:
    made = tuner_fn(fn_args)
    made.tuner.search(**made.fit_kwargs)
    return made.tuner


def facts(row: TrialRow | None) -> tuple:
    """All of a row but how long things took."""
    assert row is not None
    return row.trial, row.status, dict(row.hyperparameters), row.steps, row.losses, row.parameters, row.gzip_bytes


def all_facts(tuner: SizeSearch) -> list[tuple]:
    rows, reference = tuner.rows()
    return [facts(row) for row in [*rows, reference]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, examples) -> SizeSearch:
    """A search that nothing disturbed."""
    config = custom_config(tmp_path_factory.mktemp("whole"))
    files = {"train_files": [f"{examples}/Split-train/*"], "eval_files": [f"{examples}/Split-eval/*"]}
    return search(FnArgs(**files, custom_config=config))


def test_every_trial_is_another_configuration_and_the_promising_half_is_trained_to_the_end(whole) -> None:
    rows, reference = whole.rows()
    assert len({json.dumps(row.hyperparameters, sort_keys=True) for row in rows}) == 4
    assert sorted(row.status for row in rows) == ["finished", "finished", "stopped", "stopped"]
    for row in rows:
        assert row.losses is not None
        assert list(row.losses) == ([40, 60] if row.status == "finished" else [40])
        assert row.steps == max(row.losses)
        assert np.isfinite(row.loss)
        assert min(row.seconds, row.real_time_factor) > 0
    assert (reference.status, reference.steps, list(reference.losses)) == ("finished", 60, [60])
    assert reference.parameters > max(row.parameters for row in rows)


def test_stopping_at_a_rung_changes_nothing_for_those_who_go_on(fn_args, whole) -> None:
    finished = next(row for row in whole.rows()[0] if row.status == "finished")
    made = tuner_fn(fn_args)
    job = SearchJob.model_validate(fn_args.custom_config)
    instrument = Instrument(made.tuner.model_of({**finished.hyperparameters, CONFIGURATION: "any"}), job.audio)
    config = job.trainer.model_copy(update={"eval_steps": 40})
    result = train(instrument, **made.fit_kwargs, config=config, loss=job.loss)
    assert result.eval_loss == finished.losses[60]


def test_an_interrupted_search_goes_on_and_finds_the_same(fn_args, whole, monkeypatch) -> None:
    train = module.train
    calls = []

    def interrupt(*args, **kwargs):
        calls.append(kwargs["label"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(*args, **kwargs)

    monkeypatch.setattr(module, "train", interrupt)
    with pytest.raises(KeyboardInterrupt):
        search(fn_args)
    resumed = search(fn_args)
    assert len(calls) == 1 + 4 + 2 + 1  # the reference, every trial, the half that goes on, the one begun twice
    assert calls[2] == calls[3]
    assert all_facts(resumed) == all_facts(whole)


@pytest.mark.slow
def test_a_killed_search_goes_on_and_finds_the_same(fn_args, whole, tmp_path) -> None:
    task = tmp_path / "task.json"
    task.write_text(
        json.dumps({name: getattr(fn_args, name) for name in ("train_files", "eval_files", "custom_config")})
    )
    command = [sys.executable, "-m", workers.__name__, str(task)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(list(tmp_path.glob("tuner-*/trial_*/trial.json"))) >= 3, process)
    process.kill()
    process.wait()
    assert all_facts(search(fn_args)) == all_facts(whole)


def test_other_data_or_settings_do_not_continue_a_search(fn_args: FnArgs) -> None:
    first = tuner_fn(fn_args).tuner.project_dir
    fn_args.custom_config["trainer"]["seed"] = 7
    second = tuner_fn(fn_args).tuner.project_dir
    fn_args.train_files = fn_args.eval_files
    assert len({first, second, tuner_fn(fn_args).tuner.project_dir}) == 3


def test_a_trial_that_fails_is_recorded_and_does_not_end_the_search(fn_args: FnArgs, monkeypatch) -> None:
    train = module.train

    def fail_first(instrument, *args, **kwargs):
        if kwargs["label"].startswith("trial 1/"):
            raise TrainingDiverged("the loss stopped being a number at step 3 of 40")
        return train(instrument, *args, **kwargs)

    monkeypatch.setattr(module, "train", fail_first)
    rows, _ = search(fn_args).rows()
    assert sorted(row.status for row in rows[1:]) == ["finished", "finished", "stopped"]
    assert rows[0].status == "failed"
    assert "stopped being a number at step 3" in str(rows[0].error)


@pytest.mark.slow
def test_a_lost_worker_is_done_without(fn_args, whole, tmp_path) -> None:
    """One chief, two workers; one is killed while it trains, and its trial is given to the other."""
    task = tmp_path / "task.json"
    task.write_text(
        json.dumps({name: getattr(fn_args, name) for name in ("train_files", "eval_files", "custom_config")})
    )
    port = workers._free_port()
    threads = os.cpu_count() or 1  # as `whole` had: another number rounds sums otherwise
    chief, *running = [workers._start(str(task), name, port, threads) for name in (workers.CHIEF, "one", "two")]
    try:
        wait_for(lambda: len(list(tmp_path.glob("tuner-*/states/*/checkpoint.npz"))) >= 2, chief)
        os.kill(running[0].pid, signal.SIGKILL)
        assert chief.wait(timeout=600) == 0
        assert running[1].wait(timeout=120) == 0
    finally:
        for process in (chief, *running):
            process.kill()
    rows, reference = tuner_fn(fn_args).tuner.rows()
    expected, _ = whole.rows()
    assert [row.status for row in [*rows, reference]].count("finished") == 3
    # The first half is drawn by number, on any worker; results do not depend on the worker that trained.
    for row, same in zip(rows[:2], expected[:2], strict=True):
        assert row.hyperparameters == same.hyperparameters
        assert row.losses[40] == same.losses[40]


def wait_for(condition, process: subprocess.Popen, seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "it ended too early"
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def test_the_component_writes_sizes_for_the_trainer_and_a_table_of_trials(tmp_path, examples, monkeypatch) -> None:
    monkeypatch.setattr(executor, "summarise_dataset", lambda *_: None)
    monkeypatch.setattr(executor, "fit_baseline", lambda *_: None)
    monkeypatch.setattr(executor, "read_windows", lambda *_: WindowStore([]))

    def save(instrument, *, folder, **_):
        Path(folder).parent.mkdir(exist_ok=True)
        Path(folder).write_text(str(instrument.model.decoder.channels))

    monkeypatch.setattr(executor.signatures, "save", save)
    monkeypatch.setattr(executor, "exported_size", lambda folder, *_: (9, int(folder.read_text())))

    older = tmp_path / "state" / "tuner-of-other-settings"
    (older / "states").mkdir(parents=True)
    given = standard_artifacts.Examples()
    given.uri, given.split_names = str(examples), artifact_utils.encode_split_names(["train", "eval"])
    best, results = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, results.uri = str(tmp_path / "best"), str(tmp_path / "results")
    executor.Executor().Do(
        {"examples": [given]},
        {"best_hyperparameters": [best], "tuner_results": [results]},
        {
            "tuner_fn": "components.size_tuner.tuner.tuner_fn",
            "train_args": "{}",
            "eval_args": "{}",
            "custom_config": json_utils.dumps(custom_config(tmp_path / "state", tolerance=1.0)),
        },
    )
    table = json.loads((tmp_path / "results" / "pareto.json").read_text())
    assert (tmp_path / "results" / "tuner_results.json").exists()
    assert len(table["trials"]) == 4
    measured = [row for row in table["trials"] if row["exact"]]
    assert {row["status"] for row in measured} == {"finished"}
    assert set(table["frontier"]) <= {row["trial"] for row in measured}
    assert (table["reference"]["exact"], table["reference"]["gzip_bytes"]) == (True, 12)
    chosen = next(row for row in table["trials"] if row["trial"] == table["winner"])
    assert chosen["gzip_bytes"] == min(row["gzip_bytes"] for row in measured)  # all are within so wide a tolerance
    (file,) = (tmp_path / "best").iterdir()  # the Trainer reads the only file there
    values = json.loads(file.read_text())["values"]
    assert values.items() >= chosen["hyperparameters"].items()
    assert values["reference/loss"] == pytest.approx(table["reference"]["loss"])
    [kept] = (tmp_path / "state").iterdir()  # its own state, until another search has ended
    assert kept != older


def test_workers_that_all_die_are_one_clear_error(tmp_path) -> None:
    task = tmp_path / "task.json"
    task.write_text("{}")
    with pytest.raises(UserError, match=r"Tuner: .* exited .*the same command resumes"):
        workers.search_together(str(task), 2)
