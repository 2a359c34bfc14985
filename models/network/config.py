"""Settings of the networks, typed and bounded. Their values are in `configs/models/`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from common.settings import Settings

Hold = Literal[1, 2, 4, 8]


class GruConfig(Settings):
    """Settings of the GRU decoder (ddsp's RnnFcDecoder): dense stacks, a GRU over all inputs, a dense stack."""

    kind: Literal["gru"]
    units: Annotated[int, Field(ge=4, le=1024)] = Field(description="state of the GRU")
    stack_units: Annotated[int, Field(ge=4, le=1024)] = Field(description="width of the dense stacks")
    stack_layers: Annotated[int, Field(ge=0, le=5)] = Field(
        description="Dense - LayerNorm - leaky ReLU layers in each stack; with 0 a stack is the identity"
    )
    hold: Hold = Field(description="frames for which raw controls are held: the network runs once in so many frames")


class CnnConfig(Settings):
    """Settings of the CNN decoder: causal dilated convolutions."""

    kind: Literal["cnn"]
    channels: Annotated[int, Field(ge=4, le=512)] = Field(description="width of every layer")
    layers: Annotated[int, Field(ge=1, le=32)] = Field(description="residual layers")
    kernel: Annotated[int, Field(ge=2, le=9)] = Field(description="taps of each convolution, in frames")
    dilation_cycle: Annotated[int, Field(ge=1, le=12)] = Field(
        description="layers after which the dilation 1, 2, 4 ... starts again"
    )
    hold: Hold = Field(description="frames for which raw controls are held: the network runs once in so many frames")
