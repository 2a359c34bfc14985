"""From examples to a model that was judged: transform, tune, train, evaluate."""

from __future__ import annotations

from typing import Any

from tfx import v1 as tfx

from components.evaluator.eval_config import eval_config
from components.size_tuner.component import SizeTuner
from pipeline.config import Config
from pipeline.fingerprint import source_fingerprint


def model_sources() -> str:
    """Fingerprint of all that training depends on."""
    return source_fingerprint("models")


def make_transform(
    config: Config, examples: tfx.types.BaseChannel, schema: tfx.types.BaseChannel
) -> tfx.components.Transform:
    """Scaling and dataset statistics, as a graph that every serving signature holds too."""
    from models.sizes import inputs_of

    inputs = inputs_of(config.model, config.tuner) if config.tuner.enabled else config.model.inputs
    return tfx.components.Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="models.preprocessing.preprocessing_fn",
        custom_config={
            "inputs": inputs,
            "source_fingerprint": source_fingerprint("models/preprocessing.py", "models/ddsp"),
        },
        disable_statistics=True,  # they would be of raw audio
    )


def _training_config(config: Config, checkpoint_root: str) -> dict[str, Any]:
    sections = {name: getattr(config, name).model_dump(mode="json") for name in ("model", "audio", "loss", "trainer")}
    return {**sections, "checkpoint_root": checkpoint_root, "source_fingerprint": model_sources()}


def make_tuner(
    config: Config, examples: tfx.types.BaseChannel, transform_graph: tfx.types.BaseChannel, checkpoint_root: str
) -> SizeTuner:
    """Searches model sizes for the smallest that is within tolerance of the best."""
    return SizeTuner(
        examples=examples,
        transform_graph=transform_graph,
        tuner_fn="components.size_tuner.tuner.tuner_fn",
        custom_config={
            **_training_config(config, checkpoint_root),
            "tuner": config.tuner.model_dump(mode="json"),
            "instrument": config.instrument.model_dump(mode="json"),
            "source_fingerprint": source_fingerprint("models", "components/size_tuner", "components/tfjs_exporter"),
        },
    )


def make_last_blessed() -> tfx.dsl.Resolver:
    """The last model of this instrument that was blessed: what a new one is compared with and may start from."""
    return tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("LastBlessedModel")


def make_trainer(
    config: Config,
    examples: tfx.types.BaseChannel,
    transform_graph: tfx.types.BaseChannel,
    base_model: tfx.types.BaseChannel | None,
    hyperparameters: tfx.types.BaseChannel | None,
    checkpoint_root: str,
) -> tfx.components.Trainer:
    """Fits the model; resumes from `checkpoint_root` when an earlier run was interrupted."""
    return tfx.components.Trainer(
        examples=examples,
        transform_graph=transform_graph,
        base_model=base_model,
        hyperparameters=hyperparameters,
        run_fn="models.trainer.run_fn",
        train_args=tfx.proto.TrainArgs(splits=["train"], num_steps=config.trainer.steps),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config=_training_config(config, checkpoint_root),
    )


def make_evaluator(
    config: Config,
    examples: tfx.types.BaseChannel,
    model: tfx.types.BaseChannel,
    last_blessed: tfx.types.BaseChannel,
) -> tfx.components.Evaluator:
    """Blesses a model that beats the network-free baseline by enough and is no worse than the last blessed one."""
    tracking = (f"components/recording_example_gen/{name}.py" for name in ("pitch", "octaves", "peaks"))
    sources = source_fingerprint("components/evaluator", *tracking)
    return tfx.components.Evaluator(
        examples=examples,
        model=model,
        baseline_model=last_blessed,
        eval_config=eval_config(
            config.evaluator,
            config.audio,
            config.examples.pitch,
            sources,
            config.tuner.tolerance if config.tuner.enabled and config.tuner.reference else None,
        ),
        example_splits=["eval"],
    )
