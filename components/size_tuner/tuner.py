"""The TFX Tuner's tuner_fn: KerasTuner over sizes, every configuration trained by the Trainer's own loop."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import keras_tuner
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial
from keras_tuner.src.distribute import utils as processes
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from common.features import F0_HZ
from components.size_tuner.chief import serve
from components.size_tuner.config import TunerConfig
from components.size_tuner.fenced_checkpoints import FencedCheckpoints
from components.size_tuner.footprint import footprint
from components.size_tuner.job import SearchJob
from components.size_tuner.oracle import CONFIGURATION, LOSS, RUNG, HalvingOracle, attempt
from components.size_tuner.pareto import REFERENCE, TrialRow
from components.size_tuner.sweep_status import sweep_status
from components.size_tuner.trial_rows import ERROR_FILE, trial_rows
from models.config import ModelConfig
from models.instrument import Instrument
from models.network.sizes import all_inputs, reference_model, resized, search_space
from models.preprocessing import network_input_names
from models.training.checkpoints import Checkpoints
from models.training.config import TrainerConfig
from models.training.job import read_splits
from models.training.loop import train
from models.training.window_store import WindowStore

HEARTBEATS = 5  # in a lease
_FULL_OR_BROKEN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Prepare the search; the Tuner's executor runs it.

    Reads `fn_args.train_files`, `eval_files` and `custom_config` (a `SearchJob`). A search that was killed is
    resumed: its state lies in `checkpoint_root`, under a fingerprint of what determines it.
    """
    job = SearchJob.model_validate(fn_args.custom_config)
    features = (F0_HZ, *network_input_names(all_inputs(job.model, job.tuner.space, job.tuner.reference)))
    windows, eval_windows = read_splits(fn_args, job.audio, features)
    key = _decisive(job).identity(train=windows.digest, eval=eval_windows.digest)
    tuner = SizeSearch(job, job.tuner, directory=job.checkpoint_root, project_name=f"tuner-{key[:32]}")
    return TunerFnResult(tuner=tuner, fit_kwargs={"windows": windows, "eval_windows": eval_windows})


def _decisive(job: SearchJob) -> SearchJob:
    """Keep the settings that decide a trial's result: with more workers or trials a search is resumed."""
    tuner = job.tuner.model_copy(update={"trials": 1, "workers": 1, "lease_seconds": 1.0})
    return job.model_copy(update={"tuner": tuner, "instrument": {}})


class SizeSearch(BaseTuner):
    """KerasTuner over sizes: alone, the chief, or one of many workers, by KERASTUNER_* in the environment.

    Args:
      job: model, data and training settings.
      config: how many trials, over which sizes.
      directory, project_name: where the state of the search is kept; chief and workers share it.
    """

    def __init__(self, job: SearchJob, config: TunerConfig, directory: str, project_name: str):
        self._job, self._config = job, config
        self._idle = False
        space = search_space(job.model, config.space)
        super().__init__(HalvingOracle(config, space, job.trainer.seed), directory=directory, project_name=project_name)
        if not self._is_worker():
            self.oracle.restore()

    # The search.

    def search(self, windows: WindowStore, eval_windows: WindowStore) -> None:
        """Try configurations until the oracle has no more; the chief only hands them out."""
        if processes.is_chief_oracle():
            serve(self.oracle, self._config.lease_seconds, self._print_status)
        else:
            super().search(windows=windows, eval_windows=eval_windows)

    def run_trial(self, trial: Trial, windows: WindowStore, eval_windows: WindowStore) -> dict[str, float]:
        """Train one configuration from its last rung to the trial's, and return its loss and sizes."""
        values = trial.hyperparameters.values
        until = [*self._config.rungs, self._job.trainer.steps][values[RUNG]]
        instrument = Instrument(self.model_of(values), self._job.audio, seed=self._job.trainer.seed)
        with self._heartbeat(trial) as lost, _machine_faults():
            result = train(
                instrument,
                windows,
                eval_windows,
                config=self._trial_config(len(eval_windows)),
                loss=self._job.loss,
                checkpoints=self.checkpoints(values[CONFIGURATION], lost),
                label=self._label(values),
                until=min(until, self._job.trainer.steps),
            )
        return {
            LOSS: result.eval_loss,
            "steps": result.steps,
            "seconds": result.seconds,
            "real_time_factor": result.real_time_factor,
            **dataclasses.asdict(footprint(instrument)),
        }

    def model_of(self, values: dict[str, Any]) -> ModelConfig:
        """Build the model settings of a trial's values."""
        if values[CONFIGURATION] != REFERENCE:
            return resized(self._job.model, values)
        assert self._config.reference is not None
        return reference_model(self._job.model, self._config.reference)

    def checkpoints(self, configuration: str, lost: threading.Event | None = None) -> Checkpoints:
        """Open a configuration's checkpoints, shared by all workers; a worker that has `lost` it cannot write there."""
        return FencedCheckpoints(f"{self.project_dir}/states", configuration, lost or threading.Event())

    def _trial_config(self, eval_windows: int) -> TrainerConfig:
        """Take the Trainer's own schedule, evaluated on every eval window and only where a rung is reached."""
        steps, evaluations = self._job.trainer.steps, len(self._config.rungs) + 1
        return self._job.trainer.model_copy(
            update={"eval_steps": steps, "eval_windows": eval_windows, "patience": evaluations}
        )

    def _label(self, values: dict[str, Any]) -> str:
        if values[CONFIGURATION] == REFERENCE:
            return "reference"
        trial = f"trial {int(values[CONFIGURATION]) + 1}/{self._config.trials}"
        return f"{trial}, round {values[RUNG] + 1}/{len(self._config.rungs) + 1}"

    @contextlib.contextmanager
    def _heartbeat(self, trial: Trial) -> Iterator[threading.Event]:
        """Show the chief that this worker is alive while it trains.

        Yields an event that is set when the trial is another worker's, since this one's lease expired (on a suspended
        machine, for example), or when the chief is gone.
        """
        done, lost = threading.Event(), threading.Event()

        def beat() -> None:
            with contextlib.suppress(grpc.RpcError):
                while not done.wait(self._config.lease_seconds / HEARTBEATS):
                    if attempt(self.oracle.get_trial(trial.trial_id)) != attempt(trial):
                        break
            if not done.is_set():
                lost.set()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield lost
        finally:
            done.set()
            thread.join()

    # KerasTuner's hooks.

    def pre_create_trial(self) -> None:
        """Wait for a second before the next request, where the last one gave no trial."""
        if self._idle:
            time.sleep(1.0)
        self._idle = True

    def on_trial_begin(self, trial: Trial) -> None:
        """Note that there was something to do."""
        self._idle = False

    def on_trial_end(self, trial: Trial) -> None:
        """Hand in the result. The error of a trial is written here: KerasTuner does not send it to the chief."""
        if trial.message:
            with tf.io.gfile.GFile(f"{self.get_trial_dir(trial.trial_id)}/{ERROR_FILE}", "w") as file:
                file.write(trial.message)
        self.oracle.end_trial(trial)
        if not self._is_worker():
            self._print_status()

    def _print_status(self) -> None:
        rows, _ = self.rows()
        print(sweep_status(rows, self._config, self._job.trainer.steps), file=sys.stderr, flush=True)

    def save(self) -> None:
        """Do nothing: the trials' own files are the state."""

    # The results.

    def rows(self) -> tuple[list[TrialRow], TrialRow | None]:
        """List all configurations in the order in which they were tried, and the reference where there is one."""
        return trial_rows(self.oracle, self._config.reference, self.get_trial_dir)

    def choose(self, winner: TrialRow, facts: dict[str, float]) -> None:
        """Set the sizes that ship, and the facts that the Trainer gets besides."""
        self._chosen = keras_tuner.HyperParameters()
        self._chosen.values = {**winner.hyperparameters, **facts}

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[keras_tuner.HyperParameters]:
        """Return what was chosen, as the Trainer will get it."""
        return [self._chosen][:num_trials]

    def forget_others(self) -> None:
        """Remove the state of earlier searches. This one's own stays until the next has ended: should the execution end
        before it is recorded, nothing is tried again."""
        for folder in tf.io.gfile.glob(f"{self._job.checkpoint_root}/tuner-*"):
            if Path(folder).name != Path(self.project_dir).name:
                tf.io.gfile.rmtree(folder)


@contextlib.contextmanager
def _machine_faults() -> Iterator[None]:
    """End the search where disk or memory are full, no fault of a configuration: it resumes once there is space."""
    try:
        yield
    except (OSError, MemoryError, tf.errors.ResourceExhaustedError) as error:
        if isinstance(error, OSError) and error.errno not in _FULL_OR_BROKEN:
            raise
        raise keras_tuner.errors.FatalError(str(error)) from error
