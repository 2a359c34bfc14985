"""Reads what the Trainer left beside its SavedModel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.tfjs_exporter.packing import Affine
from models.config import AudioConfig, ModelConfig

INSTRUMENT_FILE = "instrument.json"
WEIGHTS_FILE = "weights.npz"


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
