"""Sizes of a model that a search may change: which there are, and how a choice of them becomes a model's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.config import CnnConfig, FilteredNoiseConfig, HarmonicConfig, ModelConfig, TunerConfig


def search_space(model: ModelConfig, tuner: TunerConfig) -> dict[str, list[int]]:
    """The values to try of each size that this model has."""
    space = {"channels": tuner.channels}
    if isinstance(model.decoder, CnnConfig):
        space["layers"] = tuner.layers
    if any(isinstance(processor, HarmonicConfig) for processor in model.processors):
        space["harmonics"] = tuner.harmonics
    if any(isinstance(processor, FilteredNoiseConfig) for processor in model.processors):
        space["bands"] = tuner.bands
    return space


def resized(model: ModelConfig, sizes: Mapping[str, int]) -> ModelConfig:
    """The model with other sizes: those of `search_space`; what is not named stays.

    `channels` is the width of a CNN, or the GRU's units and its stacks' width.

    Raises:
      pydantic.ValidationError: a size is out of bounds.
    """
    values = model.model_dump()
    _resize_decoder(values["decoder"], sizes)
    for processor in values["processors"]:
        name = {"harmonic": "harmonics", "filtered_noise": "bands"}.get(processor["type"], "")
        if name in sizes:
            processor[name] = sizes[name]
    return ModelConfig.model_validate(values)


def _resize_decoder(decoder: dict[str, Any], sizes: Mapping[str, int]) -> None:
    widths = ("channels",) if decoder["kind"] == "cnn" else ("units", "stack_units")
    if "channels" in sizes:
        decoder.update(dict.fromkeys(widths, sizes["channels"]))
    if "layers" in sizes and decoder["kind"] == "cnn":
        decoder["layers"] = sizes["layers"]
