"""Computes controls by `player/network.py`, from the weights and features of a JSON request.

Reads {network, audio, arrays: {name: [values]}, features: {name: [frames]}};
writes {control: [frames, channels]}.
"""

import json
import sys

import numpy as np

from pydantic import TypeAdapter

from player.description import Network as Description
from player.network import Network

request = json.load(sys.stdin)
shapes = {tensor["name"]: tensor["shape"] for tensor in request["network"]["tensors"]}
arrays = {name: np.array(values).reshape(shapes[name]) for name, values in request["arrays"].items()}
features = {name: np.array(values) for name, values in request["features"].items()}
description = TypeAdapter(Description).validate_python(request["network"])
audio = request["audio"]
controls = Network(description, arrays, audio["sample_rate"], audio["frame_rate"]).step(features)
json.dump({name: np.asarray(values).tolist() for name, values in controls.items()}, sys.stdout)
