"""Sizes of a model in a search: the values to try, choices among them, and the model of a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.config import ModelConfig
from models.ddsp.chain import DEFAULTS
from models.network.search_space import ReferenceConfig, SpaceConfig

Choice = Mapping[str, Any]  # name of a size -> its value; strings and numbers, as KerasTuner keeps them

SIZES_OF_ARCHITECTURE = {
    "cnn": ("channels", "layers", "kernel", "dilation_cycle"),
    "gru": ("units", "stack_units", "stack_layers"),
}
_PROCESSORS = {"harmonics": "harmonic", "bands": "filtered_noise", "reverb": "reverb_"}  # size -> type of its node


def search_space(model: ModelConfig, space: SpaceConfig) -> dict[str, list[Any]]:
    """List the values to try of each size that this model's signal chain has, for every architecture."""
    present = [processor.type for processor in model.processors]
    absent = {name for name, kind in _PROCESSORS.items() if not any(each.startswith(kind) for each in present)}
    return {name: list(values) for name, values in space.model_dump().items() if name not in absent}


def all_inputs(model: ModelConfig, space: SpaceConfig, reference: ReferenceConfig | None) -> list[str]:
    """List the input features of all models of a search, those of the configured model first."""
    named = [name for inputs in space.inputs for name in inputs.split("+")]
    return list(dict.fromkeys([*model.inputs, *named, *(reference.inputs if reference else ())]))


def draw(space: Mapping[str, list[Any]], random: np.random.Generator) -> dict[str, Any]:
    """Draw a choice at random; only sizes that its architecture has."""
    return active_sizes({name: values[random.integers(len(values))] for name, values in space.items()})


def mutate(choice: Choice, space: Mapping[str, list[Any]], random: np.random.Generator) -> dict[str, Any]:
    """Draw a neighbour of a choice: one or two sizes take another value, numbers the next value of the space."""
    sizes = [name for name in choice if name != "architecture" and len(space[name]) > 1]
    moved = dict(choice)
    for name in random.permutation(sizes)[: random.integers(1, 3)].tolist():
        values = space[name]
        at = values.index(choice[name])
        near = [at - 1, at + 1] if not isinstance(values[at], str) else [i for i in range(len(values)) if i != at]
        near = [i for i in near if 0 <= i < len(values)]
        moved[name] = values[near[random.integers(len(near))]]
    return moved


def active_sizes(choice: Choice) -> dict[str, Any]:
    """Drop the sizes of another architecture from a choice."""
    others = {name for kind, names in SIZES_OF_ARCHITECTURE.items() if kind != choice["architecture"] for name in names}
    return {name: value for name, value in choice.items() if name not in others}


def resized(model: ModelConfig, choice: Choice) -> ModelConfig:
    """Return the model with the sizes of a choice, names as in `search_space`; the others stay.

    Raises:
      pydantic.ValidationError: a size is out of bounds.
    """
    values = model.model_dump()
    kind = choice.get("architecture", values["decoder"]["kind"])
    kept = values["decoder"] if kind == values["decoder"]["kind"] else {"kind": kind, "hold": values["decoder"]["hold"]}
    values["decoder"] = kept | {name: choice[name] for name in (*SIZES_OF_ARCHITECTURE[kind], "hold") if name in choice}
    if "inputs" in choice:
        values["inputs"] = choice["inputs"].split("+")
    if "precision" in choice:
        values["precision"] = choice["precision"]
    for processor in values["processors"]:
        _resize_processor(processor, choice)
    return ModelConfig.model_validate(values)


def reference_model(model: ModelConfig, reference: ReferenceConfig) -> ModelConfig:
    """Return the full-size model that small models are compared with, whatever the size of the configured one."""
    choice = reference.model_dump(exclude={"decoder"}) | {"inputs": "+".join(reference.inputs)}
    return resized(model, choice).model_copy(update={"decoder": reference.decoder})


def _resize_processor(processor: dict[str, Any], choice: Choice) -> None:
    if processor["type"] == "harmonic" and "harmonics" in choice:
        processor["harmonics"] = choice["harmonics"]
    elif processor["type"] == "filtered_noise" and "bands" in choice:
        processor["bands"] = choice["bands"]
    elif processor["type"].startswith("reverb_") and "reverb" in choice:
        kind, seconds = choice["reverb"].split(" ")
        for key in DEFAULTS[processor["type"]].keys() - DEFAULTS[kind].keys():
            del processor[key]  # a size that the other kind of reverb does not have
        processor |= {"type": kind, "seconds": float(seconds)}
