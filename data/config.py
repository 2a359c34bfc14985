"""Settings of how recordings become training examples, typed and bounded. Their values are in `configs/base.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from common.audio import AudioConfig
from common.settings import Settings


class PitchConfig(Settings):
    """The tracker that measures f0."""

    tracker: Literal["swift_f0", "crepe", "pyin"]
    crepe_capacity: Literal["tiny", "small", "medium", "large", "full"] = Field(description="size of CREPE's network")
    crepe_viterbi: bool = Field(description="smooth CREPE's pitch with the Viterbi algorithm")
    octaves: Annotated[int, Field(ge=-2, le=1)] = Field(
        default=0,
        description="octaves by which recordings are moved for the tracker alone: -1 or -2 for what plays above its "
        "range, 1 for what plays below",
    )


class ScreeningConfig(Settings):
    """Limits beyond which a recording is set aside, with file, time and reason."""

    silence_db: Annotated[float, Field(ge=-80, le=0)] = Field(
        description="dB of loudness below the recording's loud level that count as silence"
    )
    max_silence_seconds: Annotated[float, Field(gt=0)] = Field(
        description="s; longer silences are dropped down to this"
    )
    min_voiced_fraction: Annotated[float, Field(ge=0, le=1)] = Field(
        description="share of sounding frames with a trusted f0; below it there is no pitch to learn"
    )
    max_clipped_fraction: Annotated[float, Field(ge=0, le=1)] = Field(description="share of samples at full scale")
    max_polyphony: Annotated[float, Field(ge=0, le=1)] = Field(
        description="share of frames with a trusted f0 that have a second pitch; above it the recording is not solo"
    )


class ExamplesConfig(Settings):
    """Windows, splits and screening."""

    train_hop_seconds: Annotated[float, Field(gt=0)] = Field(
        description="s between the starts of training windows; eval windows never overlap"
    )
    eval_share: Annotated[float, Field(gt=0, lt=0.9)] = Field(description="share of the audio kept for evaluation")
    block_seconds: Annotated[float, Field(gt=0)] = Field(
        description="s; recordings over a minute are split in blocks of this length"
    )
    min_minutes: Annotated[float, Field(ge=0)] = Field(description="usable minutes below which a run ends")
    span_window: PositiveInt = Field(description="number of newest spans that are used together")
    pitch: PitchConfig
    screening: ScreeningConfig


class ExtractionConfig(Settings):
    """All settings of RecordingExampleGen, which the pipeline passes as its custom configuration."""

    audio: AudioConfig
    examples: ExamplesConfig
