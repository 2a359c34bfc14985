"""The `network` and `synthesiser` sections of `instrument.json` and of the manifest, for engines without TensorFlow.

To run the network frame by frame (`player/network.py` does, with NumPy alone) take the following steps.
Where `frame_rate` is 1 / hold of the audio's, the network runs at frames 0, hold, 2 hold ... and its raw controls are
held until the next of them:

1. Inputs. `midi`: 69 + 12 log2(max(f0_hz, 1) / 440); `db`: the feature as it is; `amplitude`: 20 log10 of it, no lower
   than -80. Then minus `mean`, divided by `deviation`, for each entry of `inputs` in order.
2. Layers, by `architecture`. dense(x) = x @ kernel + bias. norm(x) = (x - mean) / sqrt(variance + layer_norm_epsilon) *
   gamma + beta over the channels of one frame. leaky(x) = x where x > 0, else leaky_slope * x.
   - `cnn`: x = dense_input(inputs). For every layer i: n = norm_i(x); c = bias_i + the sum over taps j of
     n[t - (kernel - 1 - j) * dilations[i]] @ kernel_i[j, 0], n being 0 before the first frame; x = x + leaky(c).
   - `gru`: s = leaky(norm(dense(.))) `stack_layers` times for every input by itself, in order, concatenated.
     a = s @ kernel + bias, b = h @ recurrent_kernel + recurrent_bias, each cut in three; z = sigmoid(a0 + b0),
     r = sigmoid(a1 + b1), c = tanh(a2 + r * b2), h = z * h + (1 - z) * c, h being 0 before the first frame.
     x = the output stack of s and h, concatenated.
   The raw controls are dense_output(x), cut into `outputs` in order.
3. Controls. Every raw value becomes 2 * sigmoid(raw + bias) ** ln(10) + 1e-7. A harmonic distribution is then set to 0
   where harmonic * f0_hz reaches half the sample rate, and divided by its sum (all zeros stay zeros).
4. Noise. A node `filtered_noise` filters white noise, uniform in [-1, 1), each hop with a filter of its own; it adds up
   what rings on. The filter follows from magnitudes at `points` frequencies, evenly spaced from 0 Hz to Nyquist:
   - `spacing` linear, or absent: points = bands, and the magnitudes are the control's.
   - `spacing` erb: points = max(hop + 1, bands). Magnitude k of the control lies at point max(p_k, k), p_k being
     (points - 1) / nyquist times the frequency whose 21.4 log10(1 + 0.00437 Hz) is k / (bands - 1) of that of Nyquist;
     between these points magnitudes are interpolated linearly.
   Taps: the inverse real FFT of the magnitudes, rotated so that lag 0 is tap points - 1, times a periodic Hann window
   over all 2 * (points - 1) taps. From the front of the result points - 3 samples are cut, its delay.
5. Room. The manifest's `reverb` is an impulse response of `taps`, convolved with the dry sound and added to it. The
   file holds all of them; or, where there is `late`, the first `early_taps`, and the others are the beginning of a
   tail of trained_taps - early_taps: the sum over bands of level * noise * 10^(-3 t / decay_seconds), t from 0 s at
   its first tap. The noise of band b, of n bands, is the inverse real FFT, times sqrt(size), of size / 2 + 1 bins,
   size being the power of two, at least 8, that holds the tail. At bin k its amplitude is sqrt(max(0, 1 - |(n - 1)
   e_k / e - b|)), with e_k = log10(1 + 0.00437 Hz) and e that of Nyquist, and the phase h(b * (size / 2 + 1) + k) /
   2^32 turns; bins 0 and size / 2 are 0. h is the 32-bit finaliser of MurmurHash3: x ^= x >> 16, x *= 0x85ebca6b, x
   ^= x >> 13, x *= 0xc2b2ae35, x ^= x >> 16.

Every tensor has its own bytes in the weight files of `controls/`, row-major, in the shape given here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.features import F0_HZ
from models.config import FilteredNoiseConfig
from models.instrument import Instrument
from models.network.config import CnnConfig
from models.network.decoders import DECODER_PREFIX, LAYER_NORM_EPSILON, LEAKY_SLOPE
from models.preprocessing import SOURCES
from models.saved_model.precision import fit_affine, precision_of


def describe_network(instrument: Instrument, statistics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Describe the network of an instrument: its `network` section.

    Args:
      instrument: at full precision (the scale of a uint8 tensor follows from the weights before rounding).
      statistics: of the training set, as `preprocessing.read_statistics` returns them.

    Returns:
      JSON values: `architecture`, `frame_rate`, `inputs`, `outputs`, the sizes, and `tensors` (name, shape, role,
      precision and, for uint8, quantization).
    """
    return {
        "architecture": instrument.model.decoder.kind,
        "frame_rate": instrument.audio.frame_rate / instrument.model.decoder.hold,
        "inputs": [_input(name, statistics[name]) for name in ("f0", *instrument.model.inputs)],
        **_sizes(instrument),
        "layer_norm_epsilon": LAYER_NORM_EPSILON,
        "leaky_slope": LEAKY_SLOPE,
        "outputs": _outputs(instrument),
        "tensors": [
            _tensor(name, value, instrument)
            for name, value in instrument.weights().items()
            if name.startswith(DECODER_PREFIX)
        ],
    }


def describe_synthesiser(instrument: Instrument) -> dict[str, Any]:
    """Describe the signal chain, its `synthesiser` section: nodes, sample rate in Hz, hop and latency in samples."""
    return {
        "sample_rate": instrument.audio.sample_rate,
        "hop": instrument.audio.hop,
        "latency": instrument.latency,
        "nodes": [entry.model_dump(mode="json") for entry in instrument.model.processors],
        "dry": instrument.graph.dry_name,
        "audio": instrument.graph.audio_name,
    }


def _input(name: str, statistics: Mapping[str, Any]) -> dict[str, Any]:
    feature = F0_HZ if name == "f0" else SOURCES[name]
    unit = {"f0": "midi", "loudness": "db", "rms": "amplitude"}[name]
    scaling = {key: statistics[key] for key in ("mean", "deviation")}
    return {"name": f"{name}_scaled", "feature": feature, "unit": unit, **scaling}


def _sizes(instrument: Instrument) -> dict[str, Any]:
    decoder = instrument.model.decoder
    if isinstance(decoder, CnnConfig):
        dilations = [2 ** (i % decoder.dilation_cycle) for i in range(decoder.layers)]
        return {"channels": decoder.channels, "kernel": decoder.kernel, "dilations": dilations}
    return {"units": decoder.units, "stack_units": decoder.stack_units, "stack_layers": decoder.stack_layers}


def _outputs(instrument: Instrument) -> list[dict[str, Any]]:
    """List the raw controls in the order of the last layer's columns, each with its bias."""
    biases = [entry.initial_bias for entry in instrument.model.processors if isinstance(entry, FilteredNoiseConfig)]
    noises = iter(biases)
    return [
        {"name": name, "channels": channels, "bias": next(noises) if name.endswith("noise_magnitudes") else 0.0}
        for name, channels in instrument.graph.raw_outputs.items()
    ]


def _tensor(name: str, value: Any, instrument: Instrument) -> dict[str, Any]:
    precision = precision_of(name, instrument.model.precision)
    role = name.rpartition("/")[2]
    tensor: dict[str, Any] = {"name": name, "shape": list(value.shape), "role": role, "precision": precision}
    if precision == "uint8":
        scale, minimum = fit_affine(value)
        tensor["quantization"] = {"scale": scale, "min": minimum}
    return tensor
