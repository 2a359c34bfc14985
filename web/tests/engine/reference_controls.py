"""Computes controls by `tests/models/reference_engine.py`, from the weights and features of a JSON request.

Reads {network, audio, arrays: {name: [values]}, features: {name: [frames]}};
writes {control: [frames, channels]}.
"""

import json
import sys

import numpy as np

from tests.models.reference_engine import run

request = json.load(sys.stdin)
shapes = {tensor["name"]: tensor["shape"] for tensor in request["network"]["tensors"]}
arrays = {name: np.array(values).reshape(shapes[name]) for name, values in request["arrays"].items()}
features = {name: np.array(values) for name, values in request["features"].items()}
controls = run(request["network"], arrays, features, request["audio"])
json.dump({name: np.asarray(values).tolist() for name, values in controls.items()}, sys.stdout)
