"""Only one worker may hand in a result: a trial belongs to the worker that it was last given to."""

from __future__ import annotations

from pathlib import Path

import pytest
from keras_tuner.engine.trial import Trial, TrialStatus

from components.size_tuner import oracle as module
from components.size_tuner.oracle import CONFIGURATION, LOSS, RUNG, SIZE, HalvingOracle, attempt
from components.size_tuner.pareto import REFERENCE
from models.network.sizes import search_space
from tests.components.size_tuner.conftest import CONFIG


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the oracle sees, in its only element."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def made(folder: Path, **settings: object) -> HalvingOracle:
    config = CONFIG.tuner.model_copy(update=settings)
    oracle = HalvingOracle(config, search_space(CONFIG.model, config.space), seed=0)
    oracle._set_project_dir(str(folder), "search")
    return oracle


def handed(oracle: HalvingOracle, worker: str) -> Trial:
    """As a worker gets it: a copy, as of then."""
    return Trial.from_state(oracle.create_trial(worker).get_state())


def ends(oracle: HalvingOracle, trial: Trial, loss: float, status: str = TrialStatus.COMPLETED) -> None:
    if status == TrialStatus.COMPLETED:
        oracle.update_trial(trial.trial_id, {LOSS: loss, SIZE: 1000.0})
    trial.status = status
    oracle.end_trial(trial)


def lost(oracle: HalvingOracle, clock: list[float]) -> tuple[Trial, Trial]:
    """One trial as the worker holds it that fell silent, and as the one that got it instead."""
    silent = handed(oracle, "silent")
    clock[0] += 2 * CONFIG.tuner.lease_seconds
    taken = handed(oracle, "other")
    assert taken.trial_id == silent.trial_id
    return silent, taken


def test_a_worker_that_shows_signs_of_life_keeps_its_trial(tmp_path, clock):
    oracle = made(tmp_path)
    own = handed(oracle, "one")
    for _ in range(5):
        clock[0] += 0.9 * CONFIG.tuner.lease_seconds
        assert attempt(oracle.get_trial(own.trial_id)) == attempt(own)
    assert handed(oracle, "other").trial_id != own.trial_id


def test_who_lost_a_trial_can_tell_and_its_failure_does_not_count(tmp_path, clock):
    oracle = made(tmp_path)
    silent, taken = lost(oracle, clock)
    assert attempt(oracle.get_trial(silent.trial_id)) != attempt(silent)
    ends(oracle, silent, 0.0, TrialStatus.FAILED)
    assert oracle.trials[taken.trial_id].status == TrialStatus.RUNNING
    ends(oracle, taken, 5.0)
    assert oracle.trials[taken.trial_id].status == TrialStatus.COMPLETED
    assert oracle.end_order == [taken.trial_id]


def test_a_late_result_lets_nobody_go_on_while_the_trial_still_runs(tmp_path, clock):
    oracle = made(tmp_path, reference=None, trials=1)
    silent, taken = lost(oracle, clock)
    ends(oracle, silent, 5.0)
    assert not oracle.ended
    assert oracle.create_trial("silent").status == TrialStatus.IDLE
    ends(oracle, taken, 5.0)
    assert handed(oracle, "silent").hyperparameters.values[RUNG] == 1


def test_a_reference_that_failed_is_tried_again_by_the_next_search_and_no_other_is(tmp_path):
    oracle = made(tmp_path)
    for _ in range(2):
        ends(oracle, handed(oracle, "one"), 0.0, TrialStatus.FAILED)
    taken_up = made(tmp_path)
    taken_up.restore()
    again = handed(taken_up, "one")
    assert (again.hyperparameters.values[CONFIGURATION], attempt(again)) == (REFERENCE, 1)
    assert handed(taken_up, "two").hyperparameters.values[CONFIGURATION] == "0001"


def test_more_trials_go_on_with_those_that_were_there(tmp_path):
    few = made(tmp_path, reference=None, trials=2)
    tried = []
    while not few.ended:
        trial = handed(few, "one")
        tried.append(trial.trial_id)
        ends(few, trial, 5.0)
    more = made(tmp_path, reference=None, trials=4)
    more.restore()
    assert not more.ended
    assert handed(more, "one").trial_id > max(tried)
