"""Choice of the configuration that is trained next, and how far: successive halving by loss and size.

This is a KerasTuner oracle. A trial is one configuration on its way to one rung; the way to the next is another trial,
which names the configuration that it continues (as KerasTuner's own Hyperband does). What comes next follows from the
trials alone, so their files are all the state there is: a search that was killed is taken up from them, and one worker
alone tries the same in the same order every time.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

import keras_tuner
import numpy as np
import tensorflow as tf
from keras_tuner.engine.trial import Trial, TrialStatus

from components.size_tuner.config import TunerConfig
from components.size_tuner.pareto import REFERENCE, Point, frontier, promising
from models.network.sizes import SIZES_OF_ARCHITECTURE, active_sizes, draw, mutate

LOSS = "eval_loss"
SIZE = "gzip_bytes"
RUNG, CONFIGURATION = "tuner/rung", "tuner/candidate"  # of a trial's values
ATTEMPT = "tuner/attempt"  # how often it was handed out: results of an earlier attempt are not taken
_MOST_TRIALS = 99_999  # that KerasTuner numbers; the same for every search, so that ids sort as they were begun
_DRAWS = 200  # for a configuration that was not tried yet


class HalvingOracle(keras_tuner.Oracle):
    """Random configurations first, then neighbours of the best; from rung to rung only the promising ones.

    Args:
      config: how many trials, rungs, what goes on.
      space: values of each size, as `models.network.sizes.search_space` gives them.
      seed: of the choices.
    """

    def __init__(self, config: TunerConfig, space: Mapping[str, list[Any]], seed: int):
        super().__init__(
            objective=keras_tuner.Objective(LOSS, "min"),
            max_trials=_MOST_TRIALS,
            hyperparameters=_declared(space),
            seed=seed + 1,  # KerasTuner takes 0 for none
            max_consecutive_failed_trials=2 * config.trials,  # a size that fails is a result, not the end
        )
        self._config, self._space = config, dict(space)
        self._last_contact: dict[str, float] = {}  # worker -> time of its last request, s
        self.verbose = 0  # the status line shows what KerasTuner would

    @property
    def last_rung(self) -> int:
        """The rung at which a trial has trained as long as the Trainer trains."""
        return len(self._config.rungs)

    # What comes next.

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the values of the next trial, or the status that there is none yet, or none any more."""
        del trial_id
        values = self._next_values()
        if values is not None:
            return {"status": TrialStatus.RUNNING, "values": {**values, ATTEMPT: 0}}
        # Another worker's trial may still come back, or decide which ones go on.
        return {"status": TrialStatus.IDLE if self.ongoing_trials or self._retry_queue else TrialStatus.STOPPED}

    def _next_values(self) -> dict[str, Any] | None:
        if self._config.reference is not None and REFERENCE not in self._at(self.last_rung):
            return {CONFIGURATION: REFERENCE, RUNG: self.last_rung}
        first = self._at(0)
        if len(first) < self._config.trials:
            fresh = self._new_choice(len(first))
            if fresh is not None:
                return {**fresh, CONFIGURATION: f"{len(first):04d}", RUNG: 0}
        for rung in range(self.last_rung):
            below, above = self._at(rung), self._at(rung + 1)
            if any(trial.status == TrialStatus.RUNNING for trial in below.values()):
                return None  # which ones go on is decided when all have got there
            for configuration in self._promoted(below):
                if configuration not in above:
                    return {**below[configuration].hyperparameters.values, RUNG: rung + 1}
        return None

    def _at(self, rung: int) -> dict[str, Trial]:
        """Find the trials of a rung by configuration, in the order in which they were begun."""
        ordered = (self.trials[trial_id] for trial_id in sorted(self.trials))
        of_rung = (trial for trial in ordered if trial.hyperparameters.values[RUNG] == rung)
        return {trial.hyperparameters.values[CONFIGURATION]: trial for trial in of_rung}

    def _points(self, trials: Mapping[str, Trial]) -> list[Point]:
        return [
            Point(name, trial.metrics.get_best_value(SIZE), trial.metrics.get_best_value(LOSS))
            for name, trial in trials.items()
            if trial.status == TrialStatus.COMPLETED and name != REFERENCE
        ]

    def _promoted(self, trials: Mapping[str, Trial]) -> list[str]:
        points = self._points(trials)
        count = max(1, round(self._config.keep * len(points)))
        return [point.name for point in promising(points, count, self._config.tolerance)]

    def _new_choice(self, number: int) -> dict[str, Any] | None:
        """Choose a configuration that was not tried yet; None where the space holds no other.

        The first half is drawn at random, the second half are neighbours of the frontier of those that have ended.
        """
        random = np.random.default_rng([self.seed, number])
        tried = self._at(0)
        known = {_key(trial.hyperparameters.values) for trial in tried.values()}
        parents = frontier(self._points(tried)) if number >= self._config.trials // 2 else []
        for _ in range(_DRAWS):
            if parents:
                parent = tried[parents[random.integers(len(parents))].name].hyperparameters.values
                choice = mutate({name: parent[name] for name in self._space if name in parent}, self._space, random)
            else:
                choice = draw(self._space, random)
            if _key(choice) not in known:
                return active_sizes(choice)
        return None

    # Workers that stop responding.

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        """Hand a worker its next trial; trials of workers that were silent for a lease are handed out first."""
        now = time.monotonic()
        self._last_contact[tuner_id] = now
        for silent in [worker for worker, at in self._last_contact.items() if now - at > self._config.lease_seconds]:
            del self._last_contact[silent]
            self.tuner_ids.discard(silent)
            lost = self.ongoing_trials.pop(silent, None)
            if lost is not None:
                lost.hyperparameters.values[ATTEMPT] += 1
                self._retry_queue.append(lost.trial_id)
        return super().create_trial(tuner_id)

    @keras_tuner.synchronized
    def get_trial(self, trial_id: str) -> Trial:
        """Return a trial. A worker that requests its own is alive: they do so now and then while they train."""
        for worker, trial in self.ongoing_trials.items():
            if trial.trial_id == trial_id:
                self._last_contact[worker] = time.monotonic()
        return super().get_trial(trial_id)

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        """Take a result, unless it comes from a worker that was given up: its trial is another worker's now."""
        if attempt(trial) == attempt(self.trials[trial.trial_id]):
            super().end_trial(trial)

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to try and no trial still runs."""
        return self._ended()

    @keras_tuner.synchronized
    def _ended(self) -> bool:
        return not self.ongoing_trials and not self._retry_queue and self._next_values() is None

    # What survives a kill.

    def save(self) -> None:
        """Do nothing: the trials' own files are the state."""

    def _save_trial(self, trial: Trial) -> None:
        """Replace a trial's file as a whole: a process that is killed meanwhile leaves the old one."""
        path = f"{self._get_trial_dir(trial.trial_id)}/trial.json"
        with tf.io.gfile.GFile(path + ".part", "w") as file:
            file.write(json.dumps(trial.get_state()))
        tf.io.gfile.rename(path + ".part", path, overwrite=True)

    def restore(self) -> None:
        """Take up the trials of a search that ended early: those that ran begin again from their last checkpoint.

        So does a reference that failed, since nothing can be chosen without it.
        """
        for path in sorted(tf.io.gfile.glob(f"{self._project_dir}/trial_*/trial.json")):
            trial = Trial.load(path)
            self.trials[trial.trial_id] = trial
            self.start_order.append(trial.trial_id)
            failed = trial.status == TrialStatus.FAILED and trial.hyperparameters.values[CONFIGURATION] == REFERENCE
            if trial.status == TrialStatus.RUNNING or failed:
                trial.hyperparameters.values[ATTEMPT] += 1
                trial.status = TrialStatus.RUNNING
                self._save_trial(trial)
                self._retry_queue.insert(0, trial.trial_id)  # the queue is taken from its end: the oldest first
            else:
                self.end_order.append(trial.trial_id)


def attempt(trial: Trial) -> int:
    """Return how often the configuration of a trial had been handed out before it."""
    return int(trial.hyperparameters.values[ATTEMPT])


def _declared(space: Mapping[str, list[Any]]) -> keras_tuner.HyperParameters:
    """Declare the space for KerasTuner: sizes of an architecture exist only under it."""
    declared = keras_tuner.HyperParameters()
    for name, values in space.items():
        owner = [kind for kind, names in SIZES_OF_ARCHITECTURE.items() if name in names]
        scope = declared.conditional_scope("architecture", owner) if owner else contextlib.nullcontext()
        with scope:
            declared.Choice(name, values)
    return declared


def _key(choice: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in choice.items() if "/" not in name}, sort_keys=True)
