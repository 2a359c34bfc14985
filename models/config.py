"""What a model is made of and how it is trained: typed, bounded settings without values.

The values stand in `configs/base.yaml`, `configs/models/` and `configs/instruments/`. Nothing here imports TensorFlow,
so that command lines and Beam workers stay light.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from models.ddsp.chain import check_playable
from models.settings import Settings

LONGEST_ROOM = 4.0  # s


class AudioConfig(Settings):
    """Rates and lengths from which every count of samples and frames follows."""

    sample_rate: Literal[16000, 32000, 48000] = Field(description="Hz, of features, training audio and bundle")
    frame_rate: Annotated[int, Field(ge=25, le=1000)] = Field(description="Hz, of features and controls")
    window_seconds: Annotated[float, Field(ge=0.5, le=30)] = Field(description="s, length of one training example")

    @model_validator(mode="after")
    def _whole_hops(self) -> AudioConfig:
        if self.sample_rate % self.frame_rate:
            raise ValueError(f"frame_rate {self.frame_rate} does not divide sample_rate {self.sample_rate} evenly")
        if (self.window_seconds * self.frame_rate) % 1:
            raise ValueError(
                f"window_seconds {self.window_seconds} is not a whole number of frames at {self.frame_rate} Hz"
            )
        return self

    @property
    def hop(self) -> int:
        """Samples a frame."""
        return self.sample_rate // self.frame_rate

    @property
    def window_frames(self) -> int:
        """Frames in one training example."""
        return round(self.window_seconds * self.frame_rate)

    @property
    def window_samples(self) -> int:
        """Samples in one training example."""
        return self.window_frames * self.hop

    @property
    def loudness_fft(self) -> int:
        """Samples in the 32 ms window of loudness and RMS energy: 512 at 16 kHz."""
        return self.sample_rate * 32 // 1000


Hold = Literal[1, 2, 4, 8]


class GruConfig(Settings):
    """ddsp's RnnFcDecoder: a dense stack an input, a GRU over all, a dense stack on top."""

    kind: Literal["gru"]
    units: Annotated[int, Field(ge=4, le=1024)] = Field(description="state of the GRU")
    stack_units: Annotated[int, Field(ge=4, le=1024)] = Field(description="width of the dense stacks")
    stack_layers: Annotated[int, Field(ge=0, le=5)] = Field(
        description="Dense - LayerNorm - leaky ReLU layers in each stack; 0 passes on what comes in"
    )
    hold: Hold = Field(description="frames for which raw controls are held: the network hears one in so many")


class CnnConfig(Settings):
    """A causal dilated convolutional decoder."""

    kind: Literal["cnn"]
    channels: Annotated[int, Field(ge=4, le=512)] = Field(description="width of every layer")
    layers: Annotated[int, Field(ge=1, le=32)] = Field(description="residual layers")
    kernel: Annotated[int, Field(ge=2, le=9)] = Field(description="taps of each convolution, in frames")
    dilation_cycle: Annotated[int, Field(ge=1, le=12)] = Field(
        description="layers after which the dilation 1, 2, 4 ... starts again"
    )
    hold: Hold = Field(description="frames for which raw controls are held: the network hears one in so many")


class HarmonicConfig(Settings):
    """An additive synthesiser: harmonics of f0."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["harmonic"]
    harmonics: Annotated[int, Field(ge=1, le=200)]
    envelope: Literal["window", "linear"] = Field(description="how amplitudes are interpolated between frames")


class FilteredNoiseConfig(Settings):
    """White noise through a filter that changes every frame."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["filtered_noise"]
    bands: Annotated[int, Field(ge=3, le=257)] = Field(
        description="points of the magnitude response from 0 Hz to Nyquist"
    )
    initial_bias: float = Field(description="added to the network's output, so that noise starts quiet")


class MixConfig(Settings):
    """The sum of its inputs."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["mix"]
    inputs: Annotated[list[str], Field(min_length=1)]


class ReverbConfig(Settings):
    """A room: an impulse response that is learned whole, or as a decay, or as filtered noise."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["reverb_free", "reverb_exponential", "reverb_filtered_noise"]
    seconds: Annotated[float, Field(gt=0, le=LONGEST_ROOM)] = Field(description="s, length of the impulse response")
    inputs: Annotated[list[str], Field(min_length=1, max_length=1)]


Processor = Annotated[HarmonicConfig | FilteredNoiseConfig | MixConfig | ReverbConfig, Field(discriminator="type")]


Inputs = Annotated[list[Literal["loudness", "rms"]], Field(min_length=1, max_length=2)]


class ModelConfig(Settings):
    """Features -> decoder -> controls -> processors -> audio."""

    inputs: Inputs = Field(description="what the decoder hears besides f0")
    decoder: Annotated[GruConfig | CnnConfig, Field(discriminator="kind")]
    processors: Annotated[list[Processor], Field(min_length=1)] = Field(
        description="the signal chain; the last one gives the audio"
    )
    precision: Literal["float16", "uint8"] = Field(description="of the weights that ship; losses are measured with it")

    @model_validator(mode="after")
    def _inputs_differ(self) -> ModelConfig:
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError(f"inputs {self.inputs} names one twice")
        return self

    @model_validator(mode="after")
    def _processors_are_a_chain(self) -> ModelConfig:
        check_playable([processor.model_dump() for processor in self.processors])
        return self


class LossConfig(Settings):
    """The multi-scale spectral loss (Engel et al. 2020, ddsp.losses.SpectralLoss)."""

    fft_sizes: Annotated[list[Annotated[int, Field(ge=16, le=16384, multiple_of=4)]], Field(min_length=1)] = Field(
        description="samples; hop is a quarter"
    )
    mag_weight: Annotated[float, Field(ge=0)]
    logmag_weight: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _something_counts(self) -> LossConfig:
        if not self.mag_weight and not self.logmag_weight:
            raise ValueError("mag_weight and logmag_weight are both 0: there is nothing to train on")
        return self


class TrainerConfig(Settings):
    """How long and how a model is trained."""

    steps: PositiveInt = Field(description="training steps at most")
    batch_size: Annotated[int, Field(ge=1, le=256)] = Field(description="windows a step")
    learning_rate: Annotated[float, Field(gt=0, le=0.1)]
    learning_rate_end: Annotated[float, Field(gt=0, le=0.1)] = Field(
        description="rate at the last step, reached on a cosine"
    )
    reverb_rate: Annotated[float, Field(gt=0, le=1)] = Field(description="share of the rate that a reverb learns with")
    warmup_steps: Annotated[int, Field(ge=0)] = Field(description="steps in which the rate rises from 0")
    gradient_clip: Annotated[float, Field(gt=0)] = Field(description="global norm")
    checkpoint_steps: Annotated[int, Field(ge=1, le=100)] = Field(description="steps between checkpoints")
    eval_steps: PositiveInt = Field(description="steps between evaluations")
    eval_windows: PositiveInt = Field(description="eval windows heard at each evaluation, at most")
    patience: PositiveInt = Field(description="evaluations without a better loss before training stops early")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(description="of weights, order and noise")
    warm_start: bool = Field(description="start from the last blessed model's weights where there is one")


Width = Annotated[int, Field(ge=4, le=1024)]


def _room(named: str) -> str:
    if not 0 < float(named.split()[1]) <= LONGEST_ROOM:
        raise ValueError(f"{named!r}: a room is longer than 0 s and at most {LONGEST_ROOM:g}")
    return named


Room = Annotated[str, Field(pattern=r"^reverb_(free|exponential|filtered_noise) \d+(\.\d+)?$"), AfterValidator(_room)]


class SpaceConfig(Settings):
    """What a search over sizes may choose from. A key that the chosen architecture does not have is not asked."""

    architecture: Annotated[list[Literal["cnn", "gru"]], Field(min_length=1)]
    channels: Annotated[list[Annotated[int, Field(ge=4, le=512)]], Field(min_length=1)] = Field(description="CNN width")
    layers: Annotated[list[Annotated[int, Field(ge=1, le=32)]], Field(min_length=1)] = Field(description="CNN depth")
    kernel: Annotated[list[Annotated[int, Field(ge=2, le=9)]], Field(min_length=1)] = Field(description="CNN, taps")
    dilation_cycle: Annotated[list[Annotated[int, Field(ge=1, le=12)]], Field(min_length=1)] = Field(description="CNN")
    units: Annotated[list[Width], Field(min_length=1)] = Field(description="state of the GRU")
    stack_units: Annotated[list[Width], Field(min_length=1)] = Field(description="width of the GRU's dense stacks")
    stack_layers: Annotated[list[Annotated[int, Field(ge=1, le=5)]], Field(min_length=1)] = Field(description="GRU")
    harmonics: Annotated[list[Annotated[int, Field(ge=1, le=200)]], Field(min_length=1)]
    bands: Annotated[list[Annotated[int, Field(ge=3, le=257)]], Field(min_length=1)]
    hold: Annotated[list[Literal[1, 2, 4, 8]], Field(min_length=1)] = Field(description="frames a network step")
    inputs: Annotated[list[Literal["loudness", "rms", "loudness+rms"]], Field(min_length=1)] = Field(
        description="what the network hears besides f0"
    )
    reverb: Annotated[list[Room], Field(min_length=1)] = Field(description="kind and length in s, e.g. reverb_free 0.5")
    precision: Annotated[list[Literal["float16", "uint8"]], Field(min_length=1)] = Field(description="of the weights")


class ReferenceConfig(Settings):
    """The full-size model that small ones are held against. Its signal chain and its room are the configured ones."""

    decoder: Annotated[GruConfig | CnnConfig, Field(discriminator="kind")]
    harmonics: Annotated[int, Field(ge=1, le=200)]
    bands: Annotated[int, Field(ge=3, le=257)]
    inputs: Inputs
    precision: Literal["float16", "uint8"]


class TunerConfig(Settings):
    """A search over model sizes for the smallest that still sounds as good as the best, by successive halving."""

    enabled: bool
    trials: PositiveInt = Field(description="distinct configurations tried, the reference not counted")
    workers: Annotated[int, Field(ge=1, le=256)] = Field(description="processes that try them")
    rungs: Annotated[list[Annotated[int, Field(ge=40)]], Field(min_length=1)] = Field(
        description="steps after which trials are compared; those that get beyond the last train as long as the Trainer"
    )
    keep: Annotated[float, Field(gt=0, lt=1)] = Field(description="share of the trials that goes on from a rung")
    tolerance: Annotated[float, Field(ge=0, le=1)] = Field(
        description="share by which the smallest may lose to the best, the reference included"
    )
    lease_seconds: Annotated[float, Field(gt=0)] = Field(
        description="s without a word from a worker after which another one gets its trial"
    )
    reference: ReferenceConfig | None = Field(description="what small models are held against; null for nothing")
    space: SpaceConfig

    @model_validator(mode="after")
    def _rungs_rise(self) -> TunerConfig:
        if self.rungs != sorted(set(self.rungs)):
            raise ValueError(f"rungs {self.rungs} must rise from each to the next")
        return self
