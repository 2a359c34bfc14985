"""Settings of training and of its loss, typed and bounded. Their values are in `configs/base.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from common.settings import Settings


class LossConfig(Settings):
    """Settings of the multi-scale spectral loss over bands (`models/ddsp/band_loss.py`)."""

    fft_sizes: Annotated[list[Annotated[int, Field(ge=16, le=16384, multiple_of=4)]], Field(min_length=1)] = Field(
        description="samples at 16 kHz, as many times more at other rates; the hop is a half"
    )
    bands_per_octave: Annotated[int, Field(ge=4, le=512)] = Field(
        description="bands in each octave; twice as many of the lowest bins are bands by themselves"
    )
    mag_weight: Annotated[float, Field(ge=0)]
    logmag_weight: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _something_counts(self) -> LossConfig:
        if not self.mag_weight and not self.logmag_weight:
            raise ValueError("mag_weight and logmag_weight are both 0: there is nothing to train on")
        return self


class TrainerConfig(Settings):
    """Settings of the trainer."""

    steps: PositiveInt = Field(description="training steps at most")
    batch_size: Annotated[int, Field(ge=1, le=256)] = Field(description="windows a step")
    learning_rate: Annotated[float, Field(gt=0, le=0.1)]
    learning_rate_end: Annotated[float, Field(gt=0, le=0.1)] = Field(
        description="rate at the last step, reached on a cosine"
    )
    reverb_rate: Annotated[float, Field(gt=0, le=1)] = Field(
        description="learning rate of reverbs, as a share of the network's"
    )
    warmup_steps: Annotated[int, Field(ge=0)] = Field(description="steps in which the rate rises from 0")
    gradient_clip: Annotated[float, Field(gt=0)] = Field(description="global norm")
    checkpoint_steps: Annotated[int, Field(ge=1, le=100)] = Field(description="steps between checkpoints")
    eval_steps: PositiveInt = Field(description="steps between evaluations")
    eval_windows: PositiveInt = Field(description="eval windows at each evaluation, at most")
    patience: PositiveInt = Field(description="evaluations without a better loss before training stops early")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(description="of weights, order and noise")
    warm_start: bool = Field(description="start from the last blessed model's weights where there is one")
