"""Settings of a search over sizes: the values to try, and the full-size model that they are compared with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from common.settings import Settings
from models.config import MAX_REVERB_SECONDS, Inputs
from models.network.config import CnnConfig, GruConfig

Width = Annotated[int, Field(ge=4, le=1024)]


def _check_reverb(named: str) -> str:
    if not 0 < float(named.split()[1]) <= MAX_REVERB_SECONDS:
        raise ValueError(f"{named!r}: a reverb is longer than 0 s and at most {MAX_REVERB_SECONDS:g}")
    return named


Reverb = Annotated[
    str,
    Field(pattern=r"^reverb_(free|exponential|filtered_noise|early_late) \d+(\.\d+)?$"),
    AfterValidator(_check_reverb),
]


class SpaceConfig(Settings):
    """Values that a search over sizes may try. Sizes of another architecture than a trial's own do not apply."""

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
        description="features that the network gets besides f0"
    )
    reverb: Annotated[list[Reverb], Field(min_length=1)] = Field(
        description="kind and length in s, e.g. reverb_free 0.5"
    )
    precision: Annotated[list[Literal["float16", "uint8"]], Field(min_length=1)] = Field(description="of the weights")


class ReferenceConfig(Settings):
    """The full-size model that small models are compared with. Signal chain and reverb are the configured ones."""

    decoder: Annotated[GruConfig | CnnConfig, Field(discriminator="kind")]
    harmonics: Annotated[int, Field(ge=1, le=200)]
    bands: Annotated[int, Field(ge=3, le=257)]
    inputs: Inputs
    precision: Literal["float16", "uint8"]
