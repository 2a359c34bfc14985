"""The gate of quality: better than the network-free baseline by enough, and no worse than the last blessed model."""

from __future__ import annotations

from tfx.components import Evaluator
from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint
from components.evaluator.eval_config import METRICS, eval_config
from pipeline.configuration.config import Config


def make_evaluator(
    config: Config, examples: BaseChannel, model: BaseChannel, last_blessed_model: BaseChannel
) -> Evaluator:
    """Build TFX's Evaluator with this project's metrics and limits."""
    return Evaluator(
        examples=examples,
        model=model,
        baseline_model=last_blessed_model if config.evaluator.against_last_blessed else None,
        eval_config=eval_config(
            config.evaluator,
            config.audio,
            config.examples.pitch,
            source_fingerprint(METRICS),
            config.tuner.tolerance if config.tuner.enabled and config.tuner.reference else None,
        ),
        example_splits=["eval"],
    )
