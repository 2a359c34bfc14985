"""Reads what the Trainer left beside its SavedModel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from common.audio import AudioConfig
from models.config import ModelConfig

if TYPE_CHECKING:
    from models.saved_model.precision import Affine

INSTRUMENT_FILE = "instrument.json"
WEIGHTS_FILE = "weights.npz"
HISTORY_FILE = "history.json"


@dataclass(frozen=True)
class Trained:
    """A model as the Trainer describes it, and its weights as a bundle holds them.

    Attributes:
      model, audio: settings of the model as it was trained.
      network: architecture and tensors.
      synthesiser: how controls become audio.
      training: steps, loss and the like.
      tensors: name -> value of every tensor of the network, rounded to the bundle's precision.
      affine: scale and minimum of those that are kept as uint8.
    """

    model: ModelConfig
    audio: AudioConfig
    network: Mapping[str, Any]
    synthesiser: Mapping[str, Any]
    training: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]
    affine: Mapping[str, Affine]


def read_trained(folder: Path) -> Trained:
    """Read `instrument.json` and the weights in full precision, and rounds these as the SavedModel's own are rounded.

    Args:
      folder: of the SavedModel.

    Raises:
      ValueError: the network names a tensor that is not among the weights, or of another shape.
    """
    # TensorFlow comes with it; whoever only publishes or plays bundles must not wait for that.
    from models.saved_model.precision import affine_of, round_array

    described = json.loads((folder / INSTRUMENT_FILE).read_text(encoding="utf-8"))
    tensors, affine = {}, {}
    with np.load(folder / WEIGHTS_FILE) as weights:
        for tensor in described["network"]["tensors"]:
            name, precision = tensor["name"], tensor["precision"]
            if name not in weights or list(weights[name].shape) != tensor["shape"]:
                raise ValueError(f"{folder}: {WEIGHTS_FILE} has no {name} of shape {tensor['shape']}")
            tensors[name] = round_array(weights[name], precision)
            if precision == "uint8" and np.isfinite(weights[name]).all():
                affine[name] = affine_of(weights[name])
    return Trained(
        ModelConfig.model_validate(described["config"]["model"]),
        AudioConfig.model_validate(described["config"]["audio"]),
        {**described["network"], "tensors": [_placed_later(tensor) for tensor in described["network"]["tensors"]]},
        described["synthesiser"],
        described["training"],
        tensors,
        affine,
    )


def _placed_later(tensor: Mapping[str, Any]) -> dict[str, Any]:
    """What stays of a tensor's description: how it is stored is said by the bundle that stores it."""
    return {key: tensor[key] for key in ("name", "shape", "role")}
