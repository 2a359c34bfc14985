"""SavedModel -> TensorFlow.js graphs, impulse response and manifest."""

from __future__ import annotations

from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint, source_revision
from components.tfjs_exporter.component import TfjsExporter
from pipeline.configuration.config import Config


def make_tfjs_exporter(config: Config, model: BaseChannel, examples: BaseChannel) -> TfjsExporter:
    """Build the stage that makes a bundle of a model."""
    return TfjsExporter(
        model=model,
        examples=examples,
        config=config.to_json(),
        source_revision=source_revision(),
        source_fingerprint=source_fingerprint("components.tfjs_exporter.executor"),
    )
