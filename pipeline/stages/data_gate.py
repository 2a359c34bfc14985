"""ExampleValidator finds anomalies; DataGate stops the run for them, and for drift from the last accepted span."""

from __future__ import annotations

from tfx.components import ExampleValidator
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.types import BaseChannel, Channel

from common.fingerprint import source_fingerprint
from components.data_gate.artifact import AcceptedData
from components.data_gate.component import DataGate
from pipeline.configuration.config import Config


def make_data_gate(config: Config, statistics: BaseChannel, schema: BaseChannel) -> list[BaseNode]:
    """Build the gate of the data, the last of the nodes, and the two nodes that only it reads."""
    validator = ExampleValidator(statistics=statistics, schema=schema)
    accepted = Resolver(
        strategy_class=LatestArtifactStrategy,
        accepted_data=Channel(type=AcceptedData),
    ).with_id("LastAcceptedData")
    gate = DataGate(
        statistics=statistics,
        anomalies=validator.outputs["anomalies"],
        schema=schema,
        accepted=accepted.outputs["accepted_data"],
        config=config.data_gate,
        source_fingerprint=source_fingerprint("components.data_gate.component"),
    )
    return [validator, accepted, gate]
