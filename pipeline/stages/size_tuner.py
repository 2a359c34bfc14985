"""The search over model sizes for the smallest that is within tolerance of the best."""

from __future__ import annotations

from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint
from components.size_tuner.component import SizeTuner
from pipeline.configuration.config import Config
from pipeline.stages.trainer import training_settings

TUNER = "components.size_tuner.tuner"  # TFX imports it by name, in a process of its own


def make_size_tuner(
    config: Config, examples: BaseChannel, originals: BaseChannel, transform_graph: BaseChannel, checkpoint_root: str
) -> SizeTuner:
    """Build the stage that trains models of many sizes and chooses one."""
    return SizeTuner(
        examples=examples,
        originals=originals,
        transform_graph=transform_graph,
        tuner_fn=f"{TUNER}.tuner_fn",
        custom_config={
            **training_settings(config, checkpoint_root),
            "tuner": config.tuner.model_dump(mode="json"),
            "instrument": config.instrument.model_dump(mode="json"),
            "source_fingerprint": source_fingerprint("components.size_tuner.executor", TUNER),
        },
    )
