"""The training loop, independent of TFX: windows and settings in, the best weights and the history of losses out.

Everything that happens at a step follows from (settings, data, step) and the checkpoint's state: order, noise and
learning rate are functions of the step, and ops are deterministic. So a seed gives the same losses bit for bit on one
machine, and a training that was killed ends as if it had not been.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism, is_op_determinism_enabled

from common.features import AUDIO, F0_HZ
from common.progress import StepProgress
from models.ddsp.band_loss import BandLoss
from models.ddsp.synths import white_noise
from models.instrument import Instrument
from models.saved_model.precision import round_weights
from models.training.checkpoints import Checkpoint, Checkpoints
from models.training.config import LossConfig, TrainerConfig
from models.training.optimizer import Adam, learning_rate
from models.training.tensorboard import TensorBoardWriter
from models.training.window_store import Batch, WindowStore, evenly_spaced, shuffled_indices

LOGGED_WINDOWS = 3  # eval windows whose audio and spectrograms TensorBoard shows
_BEST = "best/"  # of the names of the best weights in a checkpoint


class TrainingDiverged(Exception):
    """The loss or its gradient is not a finite number: the message states the step, and what to try."""


@dataclass
class LossHistory:
    """Losses of a training.

    Attributes:
      train_loss: spectral loss at every step; the first is step 1.
      eval_steps: steps after which the eval windows were evaluated; 0 is before the first step.
      eval_loss: mean spectral loss over the eval windows after each of eval_steps.
      seconds: s of training until each of eval_steps, interruptions left out.
    """

    train_loss: list[float] = field(default_factory=list)
    eval_steps: list[int] = field(default_factory=list)
    eval_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> int:
        """Index of the evaluation with the lowest loss."""
        return int(np.argmin(self.eval_loss))


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training.

    Attributes:
      instrument: the trained instrument, with the weights of the best evaluation at full precision.
      steps: steps done.
      best_step: the step whose weights were kept.
      eval_loss: of those weights, rounded to the precision that ships.
      stopped_early: whether patience ended it before the configured steps.
      seconds: s of training, interruptions left out.
      real_time_factor: s to resynthesise and evaluate 1 s of the eval windows.
      history: losses on the way, at full precision.
    """

    instrument: Instrument
    steps: int
    best_step: int
    eval_loss: float
    stopped_early: bool
    seconds: float
    real_time_factor: float
    history: LossHistory


def train(
    instrument: Instrument,
    windows: WindowStore,
    eval_windows: WindowStore,
    *,
    config: TrainerConfig,
    loss: LossConfig,
    checkpoints: Checkpoints | None = None,
    tensorboard: TensorBoardWriter | None = None,
    label: str = "training",
    until: int | None = None,
) -> TrainingResult:
    """Update an instrument's weights until its steps are done or the eval loss stops falling.

    Args:
      instrument: holds the initial weights.
      windows: training windows; features `audio` [samples], `f0_hz` (Hz) and the instrument's `feature_names`
        [frames].
      eval_windows: windows of the eval split, the same features.
      config: settings of the trainer.
      loss: settings of the spectral loss.
      checkpoints: keep the state and resume from it; None keeps nothing.
      tensorboard: log curves, audio and spectrograms; None logs nothing.
      label: text before the progress bar.
      until: step at which to stop for now; a later call with the same checkpoints goes on, as if this had not ended.

    Raises:
      TrainingDiverged: a loss or gradient is NaN or infinite.
    """
    with deterministic_ops():
        until = config.steps if until is None else min(until, config.steps)
        return _Training(instrument, windows, eval_windows, config, loss, checkpoints, tensorboard, label, until).run()


@contextmanager
def deterministic_ops() -> Iterator[None]:
    """Make TensorFlow use kernels whose results do not depend on the order in which threads finish."""
    if is_op_determinism_enabled():
        yield
        return
    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        disable_op_determinism()  # other code in the process may draw unseeded random numbers


def load_best_weights(checkpoints: Checkpoints) -> dict[str, np.ndarray]:
    """Load the weights of a training's best evaluation so far from its checkpoint.

    Returns:
      As `Instrument.weights`: by name, each in its variable's shape.

    Raises:
      ValueError: there is no checkpoint.
    """
    checkpoint = checkpoints.load()
    if checkpoint is None:
        raise ValueError(f"{checkpoints.folder}: no checkpoint")
    return {name.removeprefix(_BEST): array for name, array in checkpoint.arrays.items() if name.startswith(_BEST)}


@lru_cache(maxsize=4)
def _cached_loss(settings: str, sample_rate: int) -> BandLoss:
    """Make the loss of settings in JSON. Trainings in one process share what XLA compiled for it."""
    return BandLoss(**json.loads(settings), sample_rate=sample_rate)


class TrainingGraphs(tf.Module):
    """The two TensorFlow graphs of a training: one training step, and the evaluation of one batch.

    Args:
      instrument: whose weights are trained.
      config: gradient clip, rate of the reverb, seed.
      loss: settings of the spectral loss.
      lowest_hz: lower bound in Hz of f0 in all batches.
    """

    def __init__(self, instrument: Instrument, config: TrainerConfig, loss: LossConfig, lowest_hz: float):
        super().__init__()
        self._instrument, self._seed, self._lowest_hz = instrument, config.seed, lowest_hz
        self._variables = list(instrument.variables_by_name.values())
        self._loss = _cached_loss(loss.model_dump_json(), instrument.audio.sample_rate)
        self.adam = Adam(instrument.variables_by_name, config.gradient_clip, config.reverb_rate)

    @tf.function(autograph=False)
    def train_step(
        self, batch: Mapping[str, tf.Tensor], step: tf.Tensor, rate: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Compute the loss of a batch, and move the weights along its gradient.

        Args:
          batch: `audio` [batch, samples], `f0_hz` (Hz) and the instrument's features [batch, frames].
          step: scalar, from 0; it seeds the noise.
          rate: scalar, the learning rate.

        Returns:
          The loss before the step and the gradient's global norm, scalars.
        """
        audio = batch[AUDIO]  # [batch, samples]
        noise = white_noise(audio.shape[0], audio.shape[1], tf.stack([self._seed, step]))
        # Whatever does not depend on the weights is computed before the tape starts to record.
        basis, targets = self._instrument.basis(batch[F0_HZ], self._lowest_hz), self._loss.target(audio)
        with tf.GradientTape() as tape:
            value = self._loss(targets, self._instrument(batch, noise, basis, training=True))
        return value, self.adam.apply(tape.gradient(value, self._variables), step, rate)

    @tf.function(autograph=False)
    def eval_step(self, batch: Mapping[str, tf.Tensor], number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Resynthesise a batch and compute its losses.

        Args:
          batch: as in `train_step`.
          number: scalar, of the eval batch, from 0; it seeds the noise.

        Returns:
          Losses [batch] and audio [batch, samples].
        """
        audio = batch[AUDIO]
        noise = white_noise(audio.shape[0], audio.shape[1], tf.stack([self._seed, -1 - number]))  # never a step's noise
        basis = self._instrument.basis(batch[F0_HZ], self._lowest_hz)
        resynthesis = self._instrument(batch, noise, basis, training=True)
        return self._loss.per_example(self._loss.target(audio), resynthesis), resynthesis


class _Training:
    """The state of one training and the loop over it."""

    def __init__(
        self,
        instrument: Instrument,
        windows: WindowStore,
        eval_windows: WindowStore,
        config: TrainerConfig,
        loss: LossConfig,
        checkpoints: Checkpoints | None,
        tensorboard: TensorBoardWriter | None,
        label: str,
        until: int,
    ):
        self._instrument, self._windows, self._eval_windows = instrument, windows, eval_windows
        self._until = until
        self._config, self._checkpoints, self._tensorboard, self._label = config, checkpoints, tensorboard, label
        lowest_hz = min(windows.minimum(F0_HZ), eval_windows.minimum(F0_HZ))
        self._graphs = TrainingGraphs(instrument, config, loss, lowest_hz)
        self._inputs = (AUDIO, F0_HZ, *instrument.feature_names)
        self._step = 0
        self._seconds = 0.0
        self._history = LossHistory()
        self._best: dict[str, np.ndarray] = {}

    def run(self) -> TrainingResult:
        resumed = self._resume()
        progress = StepProgress(self._until, self._step, self._label)
        if self._tensorboard:
            self._tensorboard.write_originals(*self._originals())
        if resumed:
            progress.print_line(f"{self._label}: resumes at step {self._step} of {self._until}")
        try:
            self._loop(progress)
        except KeyboardInterrupt:
            progress.print_line(self._interruption_message())
            raise
        finally:
            progress.close()
        result = self._result()
        progress.print_line(self._final_message(result))
        return result

    def _loop(self, progress: StepProgress) -> None:
        began = time.monotonic() - self._seconds
        if not self._history.eval_loss:
            self._evaluate(began)
        while self._step < self._until and not self._exhausted:
            loss = self._advance()
            last = self._step == self._until
            if last or self._step % self._config.eval_steps == 0:
                self._evaluate(began)
            if last or self._exhausted or self._step % self._config.checkpoint_steps == 0:
                self._seconds = time.monotonic() - began
                self._save()
            progress.update(self._step, f"loss {loss:.3f}  eval {self._history.eval_loss[-1]:.3f}")

    @property
    def _exhausted(self) -> bool:
        """Check whether patience is over; derived from the history, so that it needs no state of its own."""
        return len(self._history.eval_loss) - 1 - self._history.best >= self._config.patience

    def _advance(self) -> float:
        """Do the next step. Returns its loss."""
        config = self._config
        chosen = shuffled_indices(self._step, count=len(self._windows), batch=config.batch_size, seed=config.seed)
        rate = learning_rate(self._step, config)
        value, norm = self._graphs.train_step(
            self._select(self._windows.batch(chosen)), tf.constant(self._step), tf.constant(rate, tf.float32)
        )
        loss, gradient_norm = float(value), float(norm)
        if not math.isfinite(loss) or not math.isfinite(gradient_norm):
            raise TrainingDiverged(self._divergence_message("loss" if not math.isfinite(loss) else "gradient"))
        self._step += 1
        self._history.train_loss.append(loss)
        if self._tensorboard:
            values = {"loss/train": loss, "learning_rate": rate, "gradient_norm": gradient_norm}
            self._tensorboard.write_scalars(self._step, values)
        return loss

    def _evaluate(self, began: float) -> None:
        """Evaluate the eval windows, and keep the weights where their loss is the lowest so far."""
        losses, audio = self._resynthesise()
        loss = float(np.mean(losses))
        if not math.isfinite(loss):
            raise TrainingDiverged(self._divergence_message("eval loss"))
        history = self._history
        history.eval_steps.append(self._step)
        history.eval_loss.append(loss)
        history.seconds.append(time.monotonic() - began)
        if history.best == len(history.eval_loss) - 1:
            self._best = self._instrument.weights()
        if self._tensorboard:
            self._tensorboard.write_scalars(self._step, {"loss/eval": loss})
            self._tensorboard.write_resyntheses(self._step, *self._originals(), audio)

    def _resynthesise(self) -> tuple[np.ndarray, np.ndarray]:
        """Compute losses of the eval windows [windows], and the audio of the logged windows [logged, samples]."""
        chosen = self._eval_indices
        losses, audio = [], []
        size = self._config.batch_size
        for number, start in enumerate(range(0, len(chosen), size)):
            part = chosen[start : start + size]
            full = np.resize(part, size)  # the last batch is filled up, so that one graph serves all
            batch = self._select(self._eval_windows.batch(full))
            loss, resynthesis = self._graphs.eval_step(batch, tf.constant(number))
            losses.append(loss.numpy()[: len(part)])
            if start < LOGGED_WINDOWS:
                audio.append(resynthesis.numpy()[: len(part)])
        return np.concatenate(losses), np.concatenate(audio)[:LOGGED_WINDOWS]

    @property
    def _eval_indices(self) -> np.ndarray:
        return evenly_spaced(len(self._eval_windows), self._config.eval_windows)

    def _originals(self) -> tuple[list[str], np.ndarray]:
        """Return names of the logged eval windows, and their audio [windows, samples]."""
        logged = self._eval_indices[:LOGGED_WINDOWS]
        return [self._eval_windows.keys[index] for index in logged], self._eval_windows.batch(logged)[AUDIO]

    def _select(self, batch: Batch) -> Batch:
        return {name: batch[name] for name in self._inputs}

    def _result(self) -> TrainingResult:
        """Take the best weights, and evaluate them in the precision that ships."""
        best = self._history.best
        self._instrument.set_weights(self._best)
        self._instrument.set_weights(round_weights(self._instrument).weights())
        began = time.perf_counter()
        losses, _ = self._resynthesise()
        audio_seconds = len(losses) * self._instrument.audio.window_seconds
        self._instrument.set_weights(self._best)
        return TrainingResult(
            instrument=self._instrument,
            steps=self._step,
            best_step=self._history.eval_steps[best],
            eval_loss=float(np.mean(losses)),
            stopped_early=self._step < self._until,
            seconds=self._history.seconds[-1],
            real_time_factor=(time.perf_counter() - began) / audio_seconds,
            history=self._history,
        )

    # State that survives a kill.

    def _save(self) -> None:
        if not self._checkpoints:
            return
        slots = {"weights": self._instrument.weights(), "best": self._best}
        for group, variables in self._moments.items():
            slots[group] = {name: variable.numpy() for name, variable in variables.items()}
        arrays = {f"{group}/{name}": value for group, values in slots.items() for name, value in values.items()}
        values: dict[str, Any] = {"step": self._step, "seconds": self._seconds, "history": vars(self._history)}
        self._checkpoints.save(Checkpoint(arrays, values))

    def _resume(self) -> bool:
        """Load the state of the latest checkpoint. Returns whether there is one."""
        checkpoint = self._checkpoints.load() if self._checkpoints else None
        if checkpoint is None:
            return False
        groups: dict[str, dict[str, np.ndarray]] = {}
        for name, array in checkpoint.arrays.items():
            group, _, variable = name.partition("/")
            groups.setdefault(group, {})[variable] = array
        self._instrument.set_weights(groups["weights"])
        self._best = groups["best"]
        for group, variables in self._moments.items():
            for name, variable in variables.items():
                variable.assign(groups[group][name])
        self._step, self._seconds = checkpoint.values["step"], checkpoint.values["seconds"]
        self._history = LossHistory(**checkpoint.values["history"])
        if self._tensorboard:
            self._rewrite_curves(self._tensorboard)
        return True

    @property
    def _moments(self) -> dict[str, dict[str, tf.Variable]]:
        return {"means": self._graphs.adam.means, "squares": self._graphs.adam.squares}

    def _rewrite_curves(self, tensorboard: TensorBoardWriter) -> None:
        """Write the curves so far: an execution that goes on with another's training has log files of its own."""
        for step, loss in enumerate(self._history.train_loss, start=1):
            tensorboard.write_scalars(
                step, {"loss/train": loss, "learning_rate": learning_rate(step - 1, self._config)}
            )
        for step, loss in zip(self._history.eval_steps, self._history.eval_loss, strict=True):
            tensorboard.write_scalars(step, {"loss/eval": loss})

    # Messages to the user.

    def _interruption_message(self) -> str:
        stopped = f"{self._label}: stopped at step {self._step} of {self._until}"
        if not self._checkpoints:
            return stopped
        kept = self._checkpoints.load()
        return f"{stopped}; the same command resumes at step {kept.values['step'] if kept else 0}"

    def _final_message(self, result: TrainingResult) -> str:
        early = f", stopped early at step {result.steps}" if result.stopped_early else ""
        return f"{self._label}: eval loss {result.eval_loss:.3f} with the weights of step {result.best_step}{early}"

    def _divergence_message(self, what: str) -> str:
        return (
            f"the {what} stopped being a number at step {self._step + 1} of {self._config.steps} "
            f"(learning rate {learning_rate(self._step, self._config):.2g}): the training has diverged. "
            f"Try a lower trainer.learning_rate (now {self._config.learning_rate:g}) or trainer.gradient_clip "
            f"(now {self._config.gradient_clip:g}), or a longer trainer.warmup_steps (now {self._config.warmup_steps})."
        )
