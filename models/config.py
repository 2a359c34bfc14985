"""Settings of a model: its inputs, its network and its signal chain, typed and bounded.

Their values are in `configs/base.yaml`, `configs/models/` and `configs/instruments/`. Nothing here imports TensorFlow,
so that command lines and Beam workers stay light.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from common.settings import Settings
from models.ddsp.chain import DEFAULTS, check_playable
from models.network.config import CnnConfig, GruConfig

MAX_REVERB_SECONDS = 4.0  # s, of a reverb's impulse response


class HarmonicConfig(Settings):
    """Settings of an additive synthesiser: harmonics of f0."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["harmonic"]
    harmonics: Annotated[int, Field(ge=1, le=200)]
    envelope: Literal["window", "linear"] = Field(description="interpolation of amplitudes between frames")


class FilteredNoiseConfig(Settings):
    """Settings of a filtered-noise synthesiser: white noise through a filter that changes every frame.

    Earlier configurations lack `spacing`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["filtered_noise"]
    bands: Annotated[int, Field(ge=3, le=257)] = Field(
        description="points of the magnitude response from 0 Hz to Nyquist"
    )
    spacing: Literal["linear", "erb"] = Field(
        DEFAULTS["filtered_noise"]["spacing"],
        description="of these points: even in Hz, or on the ERB-number scale as ears are",
    )
    initial_bias: float = Field(description="added to the network's output, so that noise starts quiet")


class MixConfig(Settings):
    """Settings of a mix: the sum of its inputs."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["mix"]
    inputs: Annotated[list[str], Field(min_length=1)]


class ReverbConfig(Settings):
    """Settings of a reverb: an impulse response of which every tap is learned, or noise that decays."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["reverb_free", "reverb_exponential"]
    seconds: Annotated[float, Field(gt=0, le=MAX_REVERB_SECONDS)] = Field(
        description="s, length of the impulse response"
    )
    inputs: Annotated[list[str], Field(min_length=1, max_length=1)]


class FilteredNoiseReverbConfig(Settings):
    """Settings of a reverb that is noise through learned filters; earlier configurations lack its two sizes."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["reverb_filtered_noise"]
    seconds: Annotated[float, Field(gt=0, le=MAX_REVERB_SECONDS)] = Field(
        description="s, length of the impulse response"
    )
    frames: Annotated[int, Field(ge=1, le=2000)] = Field(
        DEFAULTS["reverb_filtered_noise"]["frames"], description="stretches of the response with a filter of their own"
    )
    bands: Annotated[int, Field(ge=3, le=257)] = Field(
        DEFAULTS["reverb_filtered_noise"]["bands"],
        description="points of each filter's magnitude response from 0 Hz to Nyquist",
    )
    inputs: Annotated[list[str], Field(min_length=1, max_length=1)]


class EarlyLateReverbConfig(Settings):
    """Settings of a reverb of few bytes: learned taps for the early reflections, noise that decays in bands after."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["reverb_early_late"]
    seconds: Annotated[float, Field(gt=0, le=MAX_REVERB_SECONDS)] = Field(
        description="s, length of the impulse response"
    )
    early_seconds: Annotated[float, Field(ge=1e-3)] = Field(
        DEFAULTS["reverb_early_late"]["early_seconds"], description="s, of it that has a learned tap for every sample"
    )
    late_bands: Annotated[int, Field(ge=2, le=64)] = Field(
        DEFAULTS["reverb_early_late"]["late_bands"],
        description="of the rest, even on the ERB-number scale, each with a level and a decay time",
    )
    inputs: Annotated[list[str], Field(min_length=1, max_length=1)]

    @model_validator(mode="after")
    def _something_is_late(self) -> EarlyLateReverbConfig:
        if self.early_seconds >= self.seconds:
            raise ValueError(f"early_seconds {self.early_seconds:g} must be less than seconds {self.seconds:g}")
        return self


Processor = Annotated[
    HarmonicConfig | FilteredNoiseConfig | MixConfig | ReverbConfig | FilteredNoiseReverbConfig | EarlyLateReverbConfig,
    Field(discriminator="type"),
]


Inputs = Annotated[list[Literal["loudness", "rms"]], Field(min_length=1, max_length=2)]


class ModelConfig(Settings):
    """Settings of a model: features -> decoder -> controls -> processors -> audio."""

    inputs: Inputs = Field(description="features that the decoder gets besides f0")
    decoder: Annotated[GruConfig | CnnConfig, Field(discriminator="kind")]
    processors: Annotated[list[Processor], Field(min_length=1)] = Field(
        description="the signal chain; the last entry's signal is the audio"
    )
    precision: Literal["float16", "uint8"] = Field(description="of the weights that ship; losses are measured with it")

    @model_validator(mode="after")
    def _inputs_differ(self) -> ModelConfig:
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError(f"inputs {self.inputs} names an input twice")
        return self

    @model_validator(mode="after")
    def _processors_are_a_chain(self) -> ModelConfig:
        check_playable([processor.model_dump() for processor in self.processors])
        return self
