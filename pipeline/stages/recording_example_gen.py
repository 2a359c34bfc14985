"""Recordings -> windows of audio with f0, loudness and RMS energy, split into train and eval."""

from __future__ import annotations

from tfx.orchestration.data_types import RuntimeParameter

from components.recording_example_gen.component import RecordingExampleGen
from pipeline.configuration.config import Config


def make_recording_example_gen(
    config: Config, recordings: str | RuntimeParameter, layout: str | None = None
) -> RecordingExampleGen:
    """Build the stage that decodes recordings, extracts features and cuts windows."""
    return RecordingExampleGen(input_base=recordings, extraction=config.extraction, input_pattern=layout)
