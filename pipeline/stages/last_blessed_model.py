"""The last model of this instrument that was blessed: a new one is compared with it and may start from it."""

from __future__ import annotations

from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.types import Channel, standard_artifacts


def make_last_blessed_model() -> Resolver:
    """Build the node that looks the last blessed model up in the metadata store."""
    return Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("LastBlessedModel")
