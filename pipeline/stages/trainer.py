"""Training of one model on transformed examples."""

from __future__ import annotations

from typing import Any

from tfx.components import Trainer
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint
from pipeline.configuration.config import Config

TRAINER = "models.training.trainer"  # TFX imports it by name, in a process of its own


def make_trainer(
    config: Config,
    examples: BaseChannel,
    transform_graph: BaseChannel,
    base_model: BaseChannel | None,
    hyperparameters: BaseChannel | None,
    checkpoint_root: str,
) -> Trainer:
    """Build TFX's Trainer, which resumes from `checkpoint_root` when an earlier run was interrupted."""
    return Trainer(
        examples=examples,
        transform_graph=transform_graph,
        base_model=base_model,
        hyperparameters=hyperparameters,
        run_fn=f"{TRAINER}.run_fn",
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=config.trainer.steps),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config=training_settings(config, checkpoint_root),
    )


def training_settings(config: Config, checkpoint_root: str) -> dict[str, Any]:
    """Return the settings of a training as JSON values: those of `models.training.job.TrainingJob`."""
    sections = {name: getattr(config, name).model_dump(mode="json") for name in ("model", "audio", "loss", "trainer")}
    return {**sections, "checkpoint_root": checkpoint_root, "source_fingerprint": source_fingerprint(TRAINER)}
