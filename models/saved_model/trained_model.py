"""The files that the Trainer writes beside its SavedModel: their names, and a reader without TensorFlow ops."""

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
class TrainedModel:
    """A model as `instrument.json` describes it, and its weights as a bundle holds them.

    Attributes:
      model, audio: settings of the model as it was trained.
      network: architecture and tensors, as in the manifest.
      synthesiser: signal chain, rates and latency, as in the manifest.
      training: summary of the training: steps, loss and the like.
      tensors: name -> value of every tensor of the network, rounded to the bundle's precision.
      affine: name -> scale and minimum of every tensor that is stored as uint8.
    """

    model: ModelConfig
    audio: AudioConfig
    network: Mapping[str, Any]
    synthesiser: Mapping[str, Any]
    training: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]
    affine: Mapping[str, Affine]


def read_trained_model(folder: Path) -> TrainedModel:
    """Read `instrument.json` and the weights in full precision, and round the weights as those of the SavedModel.

    Args:
      folder: of the SavedModel.

    Raises:
      ValueError: the network names a tensor that is not among the weights, or of another shape.
    """
    # It imports TensorFlow, which takes seconds; publishing or playing bundles does not need it.
    from models.saved_model.precision import fit_affine, round_array

    described = json.loads((folder / INSTRUMENT_FILE).read_text(encoding="utf-8"))
    tensors, affine = {}, {}
    with np.load(folder / WEIGHTS_FILE) as weights:
        for tensor in described["network"]["tensors"]:
            name, precision = tensor["name"], tensor["precision"]
            if name not in weights or list(weights[name].shape) != tensor["shape"]:
                raise ValueError(f"{folder}: {WEIGHTS_FILE} has no {name} of shape {tensor['shape']}")
            tensors[name] = round_array(weights[name], precision)
            if precision == "uint8" and np.isfinite(weights[name]).all():
                affine[name] = fit_affine(weights[name])
    return TrainedModel(
        ModelConfig.model_validate(described["config"]["model"]),
        AudioConfig.model_validate(described["config"]["audio"]),
        {**described["network"], "tensors": [_without_storage(tensor) for tensor in described["network"]["tensors"]]},
        described["synthesiser"],
        described["training"],
        tensors,
        affine,
    )


def _without_storage(tensor: Mapping[str, Any]) -> dict[str, Any]:
    """Drop precision and quantization from a tensor's description: the bundle that stores it adds its own."""
    return {key: tensor[key] for key in ("name", "shape", "role")}
