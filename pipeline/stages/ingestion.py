"""From recordings to examples that are fit to train on: the first stages of the pipeline."""

from __future__ import annotations

from tfx.components import ExampleValidator, StatisticsGen
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import BaseChannel, Channel

from common.fingerprint import source_fingerprint
from components.data_gate.artifact import AcceptedData
from components.data_gate.component import DataGate
from components.recording_example_gen.component import RecordingExampleGen
from components.schema_importer.component import SchemaImporter
from data.windows.schema import SPAN, statistics_features
from pipeline.configuration.config import Config


def make_example_gen(
    config: Config, recordings: str | RuntimeParameter, layout: str | None = None
) -> RecordingExampleGen:
    """Recordings -> windows of audio with f0, loudness and RMS energy, split into train and eval."""
    return RecordingExampleGen(input_base=recordings, extraction=config.extraction, input_pattern=layout)


def make_statistics_gen(examples: BaseChannel) -> StatisticsGen:
    """Statistics of scalar and frame features, over all and by span; of raw audio they are slow and say nothing."""
    import tensorflow_data_validation as tfdv
    from tfx_bsl.public.proto import slicing_spec_pb2

    by_span = slicing_spec_pb2.SlicingConfig(slicing_specs=[slicing_spec_pb2.SlicingSpec(feature_keys=[SPAN])])
    options = tfdv.StatsOptions(feature_allowlist=statistics_features(), slicing_config=by_span)
    return StatisticsGen(examples=examples, stats_options=options)


def make_schema_importer(config: Config) -> BaseComponent:
    """The curated schema, with the shapes that follow from the configuration."""
    return SchemaImporter(
        audio=config.audio.model_dump_json(),
        source_fingerprint=source_fingerprint("components.schema_importer.component"),
    )


def make_data_gate(
    config: Config,
    statistics: BaseChannel,
    schema: BaseChannel,
) -> list[BaseNode]:
    """ExampleValidator finds anomalies; DataGate stops the run for them, and for drift from the last accepted span."""
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
