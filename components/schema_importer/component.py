"""Brings the curated schema into the pipeline."""

# No `from __future__ import annotations`: TFX reads the types of a component function's parameters at run time.
from pathlib import Path

from google.protobuf import text_format
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Schema

from common.audio import AudioConfig
from data.windows.schema import example_schema, statistics_schema


@component
def SchemaImporter(
    schema: OutputArtifact[Schema],
    statistics: OutputArtifact[Schema],
    audio: Parameter[str],
    source_fingerprint: Parameter[str],
) -> None:
    """Write the schema of whole examples and the part of it that statistics are validated against.

    Args:
      schema: every feature with its shape, for Transform and Trainer.
      statistics: the scalar and frame features with their domains, for ExampleValidator and DataGate.
      audio: an `AudioConfig` in JSON.
      source_fingerprint: of this component's sources, so that the cache sees an edit.
    """
    del source_fingerprint
    config = AudioConfig.model_validate_json(audio)
    for artifact, built in ((schema, example_schema(config)), (statistics, statistics_schema(config))):
        path = Path(artifact.uri) / "schema.pbtxt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_format.MessageToString(built), encoding="utf-8")
