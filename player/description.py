"""The manifest's network and synthesiser, typed and bounded; `models/saved_model/specification.py` describes them.

Sizes are checked before anything of these sizes is read or made.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
UNITS = {"f0_hz": "midi", "loudness_db": "db", "rms_energy": "amplitude"}  # of a network's inputs, by feature


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Input(_Part):
    """An input of the network: a feature in its unit, less `mean`, divided by `deviation`."""

    name: str
    feature: Literal["f0_hz", "loudness_db", "rms_energy"]
    unit: Literal["midi", "db", "amplitude"]
    mean: Finite
    deviation: Positive


class Output(_Part):
    """An output of the network: one of the synthesiser's controls."""

    name: str
    channels: Annotated[int, Field(ge=1, le=1024)]
    bias: Finite


class _Network(_Part):
    frame_rate: Positive
    inputs: Annotated[list[Input], Field(min_length=1, max_length=3)]
    outputs: Annotated[list[Output], Field(min_length=1, max_length=128)]
    layer_norm_epsilon: Positive
    leaky_slope: Finite


class CnnNetwork(_Network):
    """Causal dilated convolutions."""

    architecture: Literal["cnn"]
    channels: Annotated[int, Field(ge=1, le=512)]
    kernel: Annotated[int, Field(ge=1, le=9)]
    dilations: Annotated[list[Annotated[int, Field(ge=1, le=2048)]], Field(min_length=1, max_length=32)]


class GruNetwork(_Network):
    """A gated recurrent unit between stacks of dense layers."""

    architecture: Literal["gru"]
    units: Annotated[int, Field(ge=1, le=1024)]
    stack_units: Annotated[int, Field(ge=1, le=1024)]
    stack_layers: Annotated[int, Field(ge=0, le=5)]


Network = CnnNetwork | GruNetwork


class Node(_Part):
    """A node of the signal chain, with the keys of its type."""

    name: str
    type: str
    inputs: list[str] | None = None
    harmonics: Annotated[int, Field(ge=1, le=200)] = 1
    envelope: Literal["window", "linear"] = "window"
    bands: Annotated[int, Field(ge=3, le=257)] = 3
    spacing: Literal["linear", "erb"] = "linear"


class Synthesiser(_Part):
    """The signal chain."""

    sample_rate: int
    hop: int
    nodes: Annotated[list[Node], Field(min_length=1, max_length=64)]
    dry: str
    audio: str


class Described(_Part):
    """The two sections of a manifest."""

    network: Annotated[Network, Field(discriminator="architecture")]
    synthesiser: Synthesiser


def expected_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """List the tensors that a network must have: name -> shape."""
    outputs = sum(output.channels for output in network.outputs)
    if isinstance(network, CnnNetwork):
        width = network.channels
        layers = [
            {
                **_norm(f"decoder/layer_{index}/norm", width),
                f"decoder/layer_{index}/conv/kernel": (network.kernel, 1, width, width),
                f"decoder/layer_{index}/conv/bias": (width,),
            }
            for index in range(len(network.dilations))
        ]
        ends = {**_dense("decoder/input", len(network.inputs), width), **_dense("decoder/output", width, outputs)}
        return {**ends, **{name: shape for layer in layers for name, shape in layer.items()}}
    units, stacked = network.units, len(network.inputs) * network.stack_units
    shapes = {
        **_dense("decoder/gru", stacked, 3 * units),
        "decoder/gru/recurrent_kernel": (units, 3 * units),
        "decoder/gru/recurrent_bias": (3 * units,),
        **_dense("decoder/output", network.stack_units, outputs),
        **_stack(network, "output", stacked + units),
    }
    for entry in network.inputs:
        shapes.update(_stack(network, entry.name, 1))
    return shapes


def _dense(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/kernel": (rows, columns), f"{name}/bias": (columns,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/gamma": (width,), f"{name}/beta": (width,)}


def _stack(network: GruNetwork, name: str, rows: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(network.stack_layers):
        path, width = f"decoder/{name}_stack/{layer}", network.stack_units
        shapes.update({**_dense(f"{path}/dense", width if layer else rows, width), **_norm(f"{path}/norm", width)})
    return shapes
