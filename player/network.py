"""The network with NumPy alone: features -> controls, from the manifest's `network` section and its tensors.

It shares no code with `models`; it follows the description in `models/saved_model/specification.py`, frame by frame: a
stream that comes in parts gives what all of it gives at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from common.features import F0_HZ
from player.description import CnnNetwork, GruNetwork, Input
from player.description import Network as Description

Array = npt.NDArray[np.floating]
Arrays = Mapping[str, Array]

LN_10 = float(np.log(10.0))


class Network:
    """A network and what it remembers of the frames before.

    Args:
      description: of the manifest.
      tensors: by name, of one type, float32 or float64: that of all computation.
      sample_rate: Hz, of the audio: harmonics from half of it on are silent.
      frame_rate: Hz, of features and controls.
    """

    def __init__(self, description: Description, tensors: Arrays, sample_rate: int, frame_rate: float):
        self._description, self._nyquist = description, sample_rate / 2
        self._hold = max(1, round(frame_rate / description.frame_rate))
        self._layers: _Cnn | _Gru
        if isinstance(description, CnnNetwork):
            self._layers = _Cnn(description, tensors)
        else:
            self._layers = _Gru(description, tensors)
        self._frame = 0  # number of the next one
        self._held: Array = np.zeros((1, sum(output.channels for output in description.outputs)))

    def step(self, features: Arrays) -> dict[str, Array]:
        """Compute the controls of the next frames.

        Args:
          features: `f0_hz`, and those of the network's inputs (`loudness_db`, `rms_energy`), each [frames].

        Returns:
          By name of the network's outputs, [frames, channels]: linear amplitudes; harmonic distributions sum to 1.
        """
        f0_hz = np.asarray(features[F0_HZ])
        inputs = [_scaled(entry, features[entry.feature]) for entry in self._description.inputs]
        raw = self._raw(np.stack(inputs, axis=1))
        controls, start = {}, 0
        for output in self._description.outputs:
            part = raw[:, start : start + output.channels] + raw.dtype.type(output.bias)
            start += output.channels
            values = _exp_sigmoid(part)
            distributed = output.name.endswith("harmonic_distribution")
            controls[output.name] = self._below_nyquist(values, f0_hz) if distributed else values
        return controls

    def _raw(self, inputs: npt.NDArray[np.float64]) -> Array:
        """Run the network at every `hold`-th frame of the stream, and hold what it gives until the next of them."""
        first = -self._frame % self._hold  # new frame at which it runs next
        self._frame += len(inputs)
        computed = self._layers(inputs[first :: self._hold])
        held = np.concatenate([self._held.astype(computed.dtype), computed])
        self._held = held[-1:]
        return held[(np.arange(len(inputs)) - first) // self._hold + 1]

    def _below_nyquist(self, distribution: Array, f0_hz: Array) -> Array:
        numbers = np.arange(1, distribution.shape[1] + 1)
        kept = np.where(numbers * f0_hz[:, np.newaxis] < self._nyquist, distribution, 0)
        total = kept.sum(axis=1, keepdims=True)
        return np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)


def _scaled(entry: Input, values: Array) -> npt.NDArray[np.float64]:
    """Convert a feature [frames] to the unit of an input, less its mean, divided by its deviation."""
    values = np.asarray(values, np.float64)
    if entry.unit == "midi":
        values = 69 + 12 * np.log2(np.maximum(values, 1) / 440)
    elif entry.unit == "amplitude":
        values = np.maximum(20 * np.log10(np.maximum(values, 1e-10)), -80)
    return np.asarray((values - entry.mean) / entry.deviation)


def _exp_sigmoid(raw: Array) -> Array:
    """Compute 2 sigmoid(raw) ** ln(10) + 1e-7 (Engel et al. 2020). Any shape."""
    return 2 * np.exp(-LN_10 * np.logaddexp(raw.dtype.type(0), -raw)) + raw.dtype.type(1e-7)


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


class _Layers:
    """What both architectures are made of."""

    def __init__(self, description: Description, tensors: Arrays):
        self._tensors, self._epsilon, self._slope = tensors, description.layer_norm_epsilon, description.leaky_slope
        self._type = tensors["decoder/output/kernel"].dtype

    def _dense(self, name: str, x: Array) -> Array:
        return x @ self._tensors[f"{name}/kernel"] + self._tensors[f"{name}/bias"]

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(np.square(centred).mean(-1, keepdims=True) + self._type.type(self._epsilon))
        return scaled * self._tensors[f"{name}/gamma"] + self._tensors[f"{name}/beta"]

    def _leaky(self, x: Array) -> Array:
        return np.where(x > 0, x, self._type.type(self._slope) * x)


class _Cnn(_Layers):
    def __init__(self, description: CnnNetwork, tensors: Arrays):
        super().__init__(description, tensors)
        self._dilations, self._kernel = description.dilations, description.kernel
        reach = [(description.kernel - 1) * dilation for dilation in description.dilations]
        self._before = [np.zeros((frames, description.channels), self._type) for frames in reach]  # normalised

    def __call__(self, inputs: Array) -> Array:
        x = self._dense("decoder/input", inputs.astype(self._type))
        for index, dilation in enumerate(self._dilations):
            path = f"decoder/layer_{index}"
            seen = np.concatenate([self._before[index], self._norm(f"{path}/norm", x)])
            kernel = self._tensors[f"{path}/conv/kernel"]
            parts = (seen[tap * dilation :][: len(x)] @ kernel[tap, 0] for tap in range(self._kernel))
            x = x + self._leaky(sum(parts, self._tensors[f"{path}/conv/bias"]))
            self._before[index] = seen[len(x) :]
        return self._dense("decoder/output", x)


class _Gru(_Layers):
    def __init__(self, description: GruNetwork, tensors: Arrays):
        super().__init__(description, tensors)
        self._inputs = [entry.name for entry in description.inputs]
        self._stack_layers = description.stack_layers
        self._state = np.zeros(description.units, self._type)

    def __call__(self, inputs: Array) -> Array:
        x = inputs.astype(self._type)
        stacked = np.hstack([self._stack(name, x[:, [index]]) for index, name in enumerate(self._inputs)])
        kernel, bias = self._tensors["decoder/gru/recurrent_kernel"], self._tensors["decoder/gru/recurrent_bias"]
        units, h = len(self._state), self._state
        states = np.empty((len(x), units), self._type)
        for frame, own in enumerate(self._dense("decoder/gru", stacked)):
            fed_back = h @ kernel + bias
            gates = _sigmoid(own[: 2 * units] + fed_back[: 2 * units])
            z, r = gates[:units], gates[units:]
            h = states[frame] = z * h + (1 - z) * np.tanh(own[2 * units :] + r * fed_back[2 * units :])
        self._state = h.copy()
        return self._dense("decoder/output", self._stack("output", np.hstack([stacked, states])))

    def _stack(self, name: str, x: Array) -> Array:
        for layer in range(self._stack_layers):
            path = f"decoder/{name}_stack/{layer}"
            x = self._leaky(self._norm(f"{path}/norm", self._dense(f"{path}/dense", x)))
        return x
