"""The TFX Tuner's tuner_fn: a search over a handful of model sizes for the smallest that sounds as good as the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras_tuner
import numpy as np
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models.config import TrainerConfig, TunerConfig
from models.errors import UserError
from models.input import Windows
from models.instrument import Instrument
from models.job import Job, read_splits
from models.sizes import resized, search_space
from models.training import train

OBJECTIVE = "eval_loss"
BYTES_PER_WEIGHT = {"float16": 2, "uint8": 1}


@dataclass(frozen=True)
class TrialRow:
    """One trial as people and later stages read it.

    Attributes:
      trial_id: of KerasTuner.
      status: COMPLETED, FAILED or RUNNING.
      hyperparameters: sizes tried.
      eval_loss: after the trial's steps, weights in the precision that ships; None where it did not get there.
      parameters: of the whole instrument, reverb included.
      bytes: of the weights in the precision that ships, before compression.
      seconds: of training.
      error: why it failed.
    """

    trial_id: str
    status: str
    hyperparameters: dict[str, int]
    eval_loss: float | None = None
    parameters: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    error: str | None = None


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Prepares the search; the Tuner's executor runs it.

    Reads `fn_args.train_files`, `eval_files` and `custom_config` (a `Job` with `tuner`). A search that was killed goes
    on with its unfinished trial: its state lies in `checkpoint_root`, under a fingerprint of what determines it.
    """
    job = Job.model_validate(fn_args.custom_config)
    if job.tuner is None:
        raise ValueError("the Tuner's custom_config has no 'tuner'")
    features = ("f0_hz", *Instrument(job.model, job.audio).feature_names)
    windows, eval_windows = read_splits(fn_args, job.audio, features)
    key = job.identity(train=windows.digest, eval=eval_windows.digest)
    tuner = SizeTuner(job, job.tuner, directory=job.checkpoint_root, project_name=f"tuner-{key[:32]}")
    return TunerFnResult(tuner=tuner, fit_kwargs={"windows": windows, "eval_windows": eval_windows})


def smallest_within(rows: Sequence[TrialRow], tolerance: float) -> TrialRow:
    """The smallest of the completed trials whose loss exceeds the lowest by at most the share `tolerance`.

    Of equal sizes the one with the lower loss.

    Raises:
      UserError: no trial was completed.
    """
    done = [(row.parameters, row.eval_loss, row) for row in rows if row.parameters and row.eval_loss is not None]
    if not done:
        said = [row.error.strip().splitlines()[-1] for row in rows if row.error] or ["nothing"]
        raise UserError(f"Tuner: no trial was completed, so no size can be chosen. The first failure said: {said[0]}")
    limit = min(loss for _, loss, _ in done) * (1 + tolerance)
    return min((entry for entry in done if entry[1] <= limit), key=lambda entry: entry[:2])[2]


class LargestFirstOracle(keras_tuner.oracles.RandomSearchOracle):
    """Random search that begins with the largest model, against which the small ones are held."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values of the next trial, as KerasTuner asks for them."""
        if not self.start_order:
            values = {parameter.name: max(parameter.values) for parameter in self.get_space().space}
            return {"status": TrialStatus.RUNNING, "values": values}
        return super().populate_space(trial_id)


class SizeTuner(BaseTuner):
    """KerasTuner over sizes, each trained for a few steps by the Trainer's own loop.

    Args:
      job: model, data and training settings.
      config: how many trials of how many steps, over which sizes.
      directory, project_name: where the state of the search is kept.
    """

    def __init__(self, job: Job, config: TunerConfig, directory: str, project_name: str):
        space = keras_tuner.HyperParameters()
        for name, values in search_space(job.model, config).items():
            space.Choice(name, sorted(set(values)), ordered=True)
        oracle = LargestFirstOracle(
            objective=keras_tuner.Objective(OBJECTIVE, "min"),
            max_trials=config.trials,
            seed=job.trainer.seed + 1,  # KerasTuner takes 0 for none
            hyperparameters=space,
            max_consecutive_failed_trials=config.trials + 1,  # a size that fails is a result, not the end
        )
        self._job, self._config = job, config
        super().__init__(oracle, directory=directory, project_name=project_name)
        self.oracle.verbose = 0  # the progress line says what KerasTuner would

    def run_trial(self, trial: Trial, windows: Windows, eval_windows: Windows) -> dict[str, float]:
        """Trains one size and says how well it did."""
        sizes = trial.hyperparameters.values
        model = resized(self._job.model, sizes)
        instrument = Instrument(model, self._job.audio, seed=self._job.trainer.seed)
        label = f"trial {int(trial.trial_id) + 1}/{self._config.trials} ({_spelled(sizes)})"
        result = train(instrument, windows, eval_windows, config=self._trial_config(), loss=self._job.loss, label=label)
        parameters = sum(int(np.prod(variable.shape)) for variable in instrument.variables_by_name.values())
        return {OBJECTIVE: result.eval_loss, "parameters": parameters, "seconds": result.seconds}

    def rows(self) -> list[TrialRow]:
        """All trials so far, in the order in which they were tried."""
        return [self._row(self.oracle.trials[trial_id]) for trial_id in sorted(self.oracle.trials)]

    def chosen(self) -> TrialRow:
        """The smallest within tolerance of the best."""
        return smallest_within(self.rows(), self._config.tolerance)

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[keras_tuner.HyperParameters]:
        """The chosen sizes first, as the Trainer will get them, then the others by loss."""
        chosen = self.chosen().trial_id
        ranked = [trial.trial_id for trial in self.oracle.get_best_trials(len(self.oracle.trials))]
        order = [chosen, *(trial_id for trial_id in ranked if trial_id != chosen)]
        return [self.oracle.trials[trial_id].hyperparameters for trial_id in order[:num_trials]]

    def table(self) -> dict[str, Any]:
        """JSON: every trial, the chosen one's id and the tolerance."""
        return {
            "trials": [asdict(row) for row in self.rows()],
            "chosen": self.chosen().trial_id,
            "tolerance": self._config.tolerance,
        }

    def forget(self) -> None:
        """Removes the state of a search that has ended."""
        tf.io.gfile.rmtree(self.project_dir)

    def _trial_config(self) -> TrainerConfig:
        steps = self._config.steps
        update = {"steps": steps, "eval_steps": steps, "warmup_steps": min(self._job.trainer.warmup_steps, steps // 4)}
        return self._job.trainer.model_copy(update=update)

    def _row(self, trial: Trial) -> TrialRow:
        row = TrialRow(trial.trial_id, str(trial.status), dict(trial.hyperparameters.values), error=trial.message)
        if trial.status != TrialStatus.COMPLETED:
            return row
        loss, parameters, seconds = (
            trial.metrics.get_best_value(name) for name in (OBJECTIVE, "parameters", "seconds")
        )
        size = int(parameters) * BYTES_PER_WEIGHT[self._job.model.precision]
        return TrialRow(row.trial_id, row.status, row.hyperparameters, loss, int(parameters), size, seconds)


def _spelled(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sizes.items())
