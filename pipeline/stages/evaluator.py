"""The gate of quality: better than the network-free baseline by enough, and no worse than earlier blessed models."""

from __future__ import annotations

from tfx.dsl.components.common.resolver import Resolver
from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint
from components.evaluator.component import Evaluator
from components.evaluator.eval_config import METRICS, OCTAVES, ORIGINALS, eval_config
from pipeline.configuration.config import Config


def make_evaluator(config: Config, examples: BaseChannel, model: BaseChannel, last_blessed: Resolver) -> Evaluator:
    """Build the stage that measures a model and decides whether it may ship."""
    against = config.evaluator.against_last_blessed
    return Evaluator(
        examples=examples,
        model=model,
        baseline_model=last_blessed.outputs["model"] if against else None,
        last_blessing=last_blessed.outputs["model_blessing"] if against else None,
        eval_config=eval_config(
            config.evaluator,
            config.audio,
            config.examples.pitch,
            source_fingerprint(METRICS, ORIGINALS, OCTAVES),
            config.tuner.tolerance if config.tuner.enabled and config.tuner.reference else None,
        ),
        limits=config.evaluator.model_dump_json(),
        source_fingerprint=source_fingerprint("components.evaluator.executor"),
    )
