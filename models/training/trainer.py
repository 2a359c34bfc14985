"""The TFX Trainer's run_fn: examples and settings in; a SavedModel, its history and TensorBoard logs out."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from common.errors import UserError
from models.baseline import BASELINE_FEATURES, BASELINE_WINDOWS, fit_baseline
from models.instrument import Instrument
from models.network.sizes import resized
from models.saved_model import signatures
from models.saved_model.trained_model import HISTORY_FILE
from models.training.checkpoints import Checkpoints, fingerprint
from models.training.config import TrainerConfig
from models.training.job import TrainingJob, read_splits
from models.training.loop import TrainingDiverged, TrainingResult, train
from models.training.tensorboard import TensorBoardWriter
from models.training.window_store import WindowStore

_REFERENCE = "reference/"  # prefix of the Tuner's figures on the full-size model


def run_fn(fn_args: FnArgs) -> None:
    """Train an instrument on transformed examples and save it.

    Reads `fn_args.train_files`, `eval_files`, `transform_graph_path`, `custom_config` (a `TrainingJob`),
    `hyperparameters` (the Tuner's choice of sizes) and, with `trainer.warm_start`, `base_model`. Writes the model with
    `instrument.json` and `history.json` to `serving_model_dir` and logs to `model_run_dir`. A run that was killed
    resumes at its last checkpoint.

    Raises:
      UserError: training diverged.
    """
    job = TrainingJob.model_validate(fn_args.custom_config)
    chosen = fn_args.hyperparameters["values"] if fn_args.hyperparameters else {}
    job = job.model_copy(update={"model": resized(job.model, chosen)})
    reference = {name.removeprefix(_REFERENCE): v for name, v in chosen.items() if name.startswith(_REFERENCE)}
    instrument = Instrument(job.model, job.audio, seed=job.trainer.seed)
    warm = job.trainer.warm_start and _warm_start(instrument, fn_args.base_model)
    windows, eval_windows = read_splits(fn_args, job.audio, (*BASELINE_FEATURES, *instrument.feature_names))
    start = fingerprint_of_weights(instrument)
    key = job.identity(train=windows.digest, eval=eval_windows.digest, start=start)
    checkpoints = Checkpoints(job.checkpoint_root, key)
    try:
        result = train(
            instrument,
            windows,
            eval_windows,
            config=job.trainer,
            loss=job.loss,
            checkpoints=checkpoints,
            tensorboard=TensorBoardWriter(fn_args.model_run_dir, job.audio.sample_rate),
        )
    except TrainingDiverged as error:
        raise UserError(f"Trainer: {error}") from error
    signatures.save(
        result.instrument,
        transform_graph=fn_args.transform_graph_path,
        baseline=fit_baseline(windows.sample(BASELINE_WINDOWS), instrument.graph),
        loss=job.loss,
        folder=fn_args.serving_model_dir,
        training={**_summary(result, job.trainer, windows, eval_windows, warm), "reference": reference or None},
        reference_loss=reference.get("loss"),
    )
    with tf.io.gfile.GFile(f"{fn_args.serving_model_dir}/{HISTORY_FILE}", "w") as file:
        file.write(json.dumps(asdict(result.history)))
    checkpoints.clear()


def fingerprint_of_weights(instrument: Instrument) -> str:
    """Compute the SHA-256, hex, of an instrument's weights."""
    weights = instrument.weights()
    return fingerprint(**{name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in weights.items()})


def _warm_start(instrument: Instrument, base_model: str | None) -> bool:
    """Assign the weights of the last blessed model where they fit, and print so. Returns whether they do."""
    if not base_model:
        print("warm start: no blessed model of this instrument yet, so training starts fresh", file=sys.stderr)
        return False
    try:
        instrument.set_weights(signatures.load_instrument(base_model).weights())
    except ValueError as error:
        print(f"warm start: the last blessed model does not fit, so training starts fresh: {error}", file=sys.stderr)
        return False
    print(f"warm start: from {base_model}", file=sys.stderr)
    return True


def _summary(
    result: TrainingResult, config: TrainerConfig, windows: WindowStore, eval_windows: WindowStore, warm: bool
) -> dict[str, Any]:
    return {
        "steps": result.steps,
        "examples": result.steps * config.batch_size,
        "best_step": result.best_step,
        "stopped_early": result.stopped_early,
        "train_windows": len(windows),
        "eval_windows": min(len(eval_windows), config.eval_windows),
        "eval_loss": result.eval_loss,
        "seconds": result.seconds,
        "seed": config.seed,
        "warm_start": warm,
        **{package: version(package) for package in ("tfx", "tensorflow")},
    }
