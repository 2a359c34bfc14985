"""An independent engine: runs a network from the manifest's `network` section and its arrays, with NumPy alone.

It shares no code with `models`; it follows the description in `models/saved_model/specification.py`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]


def run(
    network: Mapping[str, Any], arrays: Arrays, features: Mapping[str, np.ndarray], audio: Mapping[str, int]
) -> dict:
    """Compute controls [frames, channels] by name from features [frames]; `audio` has the sample and the frame rate."""
    inputs = np.stack([_scale(spec, features[spec["feature"]]) for spec in network["inputs"]], axis=1)
    hold = round(audio["frame_rate"] / network["frame_rate"])
    computed = {"cnn": _cnn, "gru": _gru}[network["architecture"]](network, arrays, inputs[::hold])
    raw = np.repeat(computed, hold, axis=0)[: len(inputs)]
    controls, start = {}, 0
    for output in network["outputs"]:
        part = raw[:, start : start + output["channels"]] + output["bias"]
        start += output["channels"]
        controls[output["name"]] = 2 * _sigmoid(part) ** np.log(10) + 1e-7
        if output["name"].endswith("harmonic_distribution"):
            harmonics = np.arange(1, output["channels"] + 1) * features["f0_hz"][:, np.newaxis]
            kept = np.where(harmonics < audio["sample_rate"] / 2, controls[output["name"]], 0)
            total = kept.sum(axis=1, keepdims=True)
            controls[output["name"]] = np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)
    return controls


def _scale(spec: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    if spec["unit"] == "midi":
        values = 69 + 12 * np.log2(np.maximum(values, 1) / 440)
    elif spec["unit"] == "amplitude":
        values = np.maximum(20 * np.log10(np.maximum(values, 1e-10)), -80)
    return (values - spec["mean"]) / spec["deviation"]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _dense(arrays: Arrays, name: str, x: np.ndarray) -> np.ndarray:
    return x @ arrays[f"{name}/kernel"].astype(np.float64) + arrays[f"{name}/bias"]


def _norm(network: Mapping[str, Any], arrays: Arrays, name: str, x: np.ndarray) -> np.ndarray:
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + network["layer_norm_epsilon"])
    return scaled * arrays[f"{name}/gamma"] + arrays[f"{name}/beta"]


def _leaky(network: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, network["leaky_slope"] * x)


def _cnn(network: Mapping[str, Any], arrays: Arrays, inputs: np.ndarray) -> np.ndarray:
    x = _dense(arrays, "decoder/input", inputs)
    for i, dilation in enumerate(network["dilations"]):
        normalised = _norm(network, arrays, f"decoder/layer_{i}/norm", x)
        y = np.zeros_like(x) + arrays[f"decoder/layer_{i}/conv/bias"]
        for tap in range(network["kernel"]):
            late = (network["kernel"] - 1 - tap) * dilation
            delayed = np.vstack([np.zeros((late, x.shape[1])), normalised])[: len(normalised)]
            y += delayed @ arrays[f"decoder/layer_{i}/conv/kernel"][tap, 0]
        x = x + _leaky(network, y)
    return _dense(arrays, "decoder/output", x)


def _stack(network: Mapping[str, Any], arrays: Arrays, name: str, x: np.ndarray) -> np.ndarray:
    for layer in range(network["stack_layers"]):
        path = f"decoder/{name}_stack/{layer}"
        x = _leaky(network, _norm(network, arrays, f"{path}/norm", _dense(arrays, f"{path}/dense", x)))
    return x


def _gru(network: Mapping[str, Any], arrays: Arrays, inputs: np.ndarray) -> np.ndarray:
    specs = network["inputs"]
    stacked = np.hstack([_stack(network, arrays, spec["name"], inputs[:, [i]]) for i, spec in enumerate(specs)])
    h, states = np.zeros(network["units"]), []
    for frame in _dense(arrays, "decoder/gru", stacked):
        a = np.split(frame, 3)
        b = np.split(h @ arrays["decoder/gru/recurrent_kernel"] + arrays["decoder/gru/recurrent_bias"], 3)
        z, r = _sigmoid(a[0] + b[0]), _sigmoid(a[1] + b[1])
        h = z * h + (1 - z) * np.tanh(a[2] + r * b[2])
        states.append(h)
    return _dense(arrays, "decoder/output", _stack(network, arrays, "output", np.hstack([stacked, np.array(states)])))
