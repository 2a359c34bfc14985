"""Settings of the networks, typed and bounded. Their values stand in `configs/models/`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from common.settings import Settings

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
