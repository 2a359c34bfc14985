"""The schema of examples: curated by hand in `schema.pbtxt`, with shapes that follow from the configuration."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from common.audio import AudioConfig
from common.features import AUDIO, FRAME_FEATURES

CURATED = Path(__file__).with_name("schema.pbtxt")


def statistics_schema(audio: AudioConfig) -> schema_pb2.Schema:
    """Build the schema of the features that statistics are made of and validated against: scalars, and [frames]."""
    schema = text_format.Parse(CURATED.read_text(encoding="utf-8"), schema_pb2.Schema())
    for feature in schema.feature:
        if feature.name in FRAME_FEATURES:
            feature.shape.dim.add(size=audio.window_frames)
    return schema


def example_schema(audio: AudioConfig) -> schema_pb2.Schema:
    """Build the schema of all features, raw audio [samples] included: Transform and Trainer parse with it.

    Originals are left out, so that neither reads them.
    """
    schema = statistics_schema(audio)
    samples = schema.feature.add(name=AUDIO, type=schema_pb2.FLOAT)
    samples.presence.min_fraction = 1
    samples.presence.min_count = 1
    samples.shape.dim.add(size=audio.window_samples)
    return schema


def statistics_features() -> list[str]:
    """List the names of the features that statistics are computed for."""
    schema = text_format.Parse(CURATED.read_text(encoding="utf-8"), schema_pb2.Schema())
    return [feature.name for feature in schema.feature]
