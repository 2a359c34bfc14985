"""Scaling and dataset statistics, as a graph that every serving signature holds too."""

from __future__ import annotations

from tfx.components import Transform
from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint
from pipeline.configuration.config import Config

PREPROCESSING = "models.preprocessing"  # TFX imports it by name, in a process of its own


def make_transform(config: Config, examples: BaseChannel, schema: BaseChannel) -> Transform:
    """Build TFX's Transform for the network inputs of the model, or of all models that a sweep may try."""
    from models.network.sizes import all_inputs

    inputs: list[str] = [*config.model.inputs]
    if config.tuner.enabled:
        inputs = all_inputs(config.model, config.tuner.space, config.tuner.reference)
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
