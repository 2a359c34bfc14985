"""The curated schema, with the shapes that follow from the configuration."""

from __future__ import annotations

from tfx.dsl.components.base.base_component import BaseComponent

from common.fingerprint import source_fingerprint
from components.schema_importer.component import SchemaImporter
from pipeline.configuration.config import Config


def make_schema_importer(config: Config) -> BaseComponent:
    """Build the stage that writes the schema of examples."""
    return SchemaImporter(
        audio=config.audio.model_dump_json(),
        source_fingerprint=source_fingerprint("components.schema_importer.component"),
    )
