"""From examples to a model that was judged: transform, tune, train, evaluate."""

from __future__ import annotations

from typing import Any

from tfx.components import Evaluator, Trainer, Transform
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel, Channel, standard_artifacts

from common.fingerprint import source_fingerprint
from components.evaluator.eval_config import METRICS, eval_config
from components.size_tuner.component import SizeTuner
from pipeline.configuration.config import Config

# What TFX imports by name, in a process of its own.
PREPROCESSING = "models.preprocessing"
TRAINER = "models.training.trainer"
TUNER = "components.size_tuner.tuner"


def make_transform(config: Config, examples: BaseChannel, schema: BaseChannel) -> Transform:
    """Scaling and dataset statistics, as a graph that every serving signature holds too."""
    from models.network.sizes import inputs_of

    inputs: list[str] = [*config.model.inputs]
    if config.tuner.enabled:
        inputs = inputs_of(config.model, config.tuner.space, config.tuner.reference)
    return Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn=f"{PREPROCESSING}.preprocessing_fn",
        custom_config={
            "inputs": inputs,
            "source_fingerprint": source_fingerprint(PREPROCESSING),
        },
        disable_statistics=True,  # they would be of raw audio
    )


def _training_config(config: Config, checkpoint_root: str) -> dict[str, Any]:
    sections = {name: getattr(config, name).model_dump(mode="json") for name in ("model", "audio", "loss", "trainer")}
    return {**sections, "checkpoint_root": checkpoint_root, "source_fingerprint": source_fingerprint(TRAINER)}


def make_tuner(config: Config, examples: BaseChannel, transform_graph: BaseChannel, checkpoint_root: str) -> SizeTuner:
    """Search model sizes for the smallest that is within tolerance of the best."""
    return SizeTuner(
        examples=examples,
        transform_graph=transform_graph,
        tuner_fn=f"{TUNER}.tuner_fn",
        custom_config={
            **_training_config(config, checkpoint_root),
            "tuner": config.tuner.model_dump(mode="json"),
            "instrument": config.instrument.model_dump(mode="json"),
            "source_fingerprint": source_fingerprint("components.size_tuner.executor", TUNER),
        },
    )


def make_last_blessed() -> Resolver:
    """The last model of this instrument that was blessed: what a new one is compared with and may start from."""
    return Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("LastBlessedModel")


def make_trainer(
    config: Config,
    examples: BaseChannel,
    transform_graph: BaseChannel,
    base_model: BaseChannel | None,
    hyperparameters: BaseChannel | None,
    checkpoint_root: str,
) -> Trainer:
    """Fit the model; resumes from `checkpoint_root` when an earlier run was interrupted."""
    return Trainer(
        examples=examples,
        transform_graph=transform_graph,
        base_model=base_model,
        hyperparameters=hyperparameters,
        run_fn=f"{TRAINER}.run_fn",
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=config.trainer.steps),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config=_training_config(config, checkpoint_root),
    )


def make_evaluator(
    config: Config,
    examples: BaseChannel,
    model: BaseChannel,
    last_blessed: BaseChannel,
) -> Evaluator:
    """Blesses a model that beats the network-free baseline by enough and is no worse than the last blessed one."""
    return Evaluator(
        examples=examples,
        model=model,
        baseline_model=last_blessed,
        eval_config=eval_config(
            config.evaluator,
            config.audio,
            config.examples.pitch,
            source_fingerprint(METRICS),
            config.tuner.tolerance if config.tuner.enabled and config.tuner.reference else None,
        ),
        example_splits=["eval"],
    )
