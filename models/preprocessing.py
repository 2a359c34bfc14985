"""From measured features to network inputs: the one preprocessing of training, evaluation and serving.

TFX Transform runs `preprocessing_fn` over the training set. The graph that it writes holds the training set's
statistics as constants and is part, as it is, of every serving signature.

A feature is standardised: minus its mean, divided by its deviation. ddsp divides MIDI pitch by 127 and decibels by 80
instead; a network learns faster from inputs that fill its range. Statistics of pitch are
over voiced, counted frames, those of level over counted frames; a frame is counted or not relative to the loudest frame
of its window, so that quiet recordings are treated as loud ones are. (A level found over the whole training set first
would take Transform a second phase, which TFX 1.16 cannot run on Beam 2.65.)

The statistics are outputs of the graph too, the same for every example: `read_statistics` reads them from the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from common.features import F0_CONFIDENCE, F0_HZ, FRAME_FEATURES, LOUDNESS_DB, RMS_ENERGY
from common.pitch import is_voiced

if TYPE_CHECKING:
    import tensorflow as tf

COUNTED_RANGE_DB = 40.0  # frames further below the loudest frame of their window are not counted in statistics
QUANTILES = 101  # kept of every feature: its percentiles from 0 to 100
QUANTILE_ERROR = 0.001  # in rank, of TFT's sketch
MIN_DEVIATION = 1.0  # semitone or dB: a recording of one long note must not divide by nothing

SOURCES = {"loudness": LOUDNESS_DB, "rms": RMS_ENERGY}  # input of the model -> feature of an example
_STATISTICS = "_statistics"  # ending of the outputs that carry them


def network_input_names(inputs: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the network's input features, in its order."""
    return ("f0_scaled", *(f"{name}_scaled" for name in inputs))


def preprocessing_fn(inputs: Mapping[str, tf.Tensor], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Add the network's input features to the features of examples.

    Args:
      inputs: as RecordingExampleGen writes them; `f0_hz` (Hz), `f0_confidence` (0 to 1), `loudness_db` (dB) and
        `rms_energy` (linear) are [batch, frames].
      custom_config: its `inputs` are the inputs of networks besides f0: `loudness`, `rms`.

    Returns:
      All inputs, `f0_scaled`, and `loudness_scaled` and/or `rms_scaled` [batch, frames], standardised; for each
      `*_statistics` [batch, 3 + QUANTILES]: mean, deviation, variance, then quantiles (semitones or dB), the same in
      every row.

    Raises:
      ValueError: a frame feature has no fixed length in the schema.
    """
    import tensorflow as tf  # not at the top, which command lines import

    from models.ddsp.core import amplitude_to_db, positive_hz_to_midi

    frames = {name: _fixed(name, inputs[name]) for name in FRAME_FEATURES}
    levels = {"f0": positive_hz_to_midi(tf.maximum(frames[F0_HZ], 1.0))}
    for name in custom_config["inputs"]:
        levels[name] = frames[LOUDNESS_DB] if name == "loudness" else amplitude_to_db(frames[RMS_ENERGY])

    loudest = tf.reduce_max(frames[LOUDNESS_DB], axis=1, keepdims=True)
    counted = frames[LOUDNESS_DB] >= loudest - COUNTED_RANGE_DB
    voiced = counted & is_voiced(frames[F0_CONFIDENCE])
    outputs = dict(inputs)
    for name, values in levels.items():
        mask = voiced if name == "f0" else counted
        mean, deviation, variance = _moments(values, mask, around=60.0 if name == "f0" else -30.0)
        outputs[f"{name}_scaled"] = (values - mean) / deviation
        statistics = tf.concat([tf.stack([mean, deviation, variance]), _quantiles(values, mask)], axis=0)
        outputs[name + _STATISTICS] = tf.zeros_like(values[:, :1]) + statistics
    return outputs


def read_statistics(transform_graph: str) -> dict[str, dict[str, Any]]:
    """Read the statistics of the training set from a Transform graph.

    Args:
      transform_graph: folder of a TransformGraph artifact.

    Returns:
      `f0` (MIDI semitones), `loudness` and/or `rms` (dB), each with `mean`, `deviation`, `variance`, `min`, `max` and
      `quantiles` (the percentiles from 0 to 100), over voiced frames for f0, over counted frames for the others.

    Raises:
      ValueError: the graph is not that of `preprocessing_fn`.
    """
    import tensorflow as tf
    import tensorflow_transform as tft

    output = tft.TFTransformOutput(transform_graph)
    example = {name: tf.zeros([1, *spec.shape], spec.dtype) for name, spec in output.raw_feature_spec().items()}
    statistics = {}
    for name, values in output.transform_features_layer()(example).items():
        if name.endswith(_STATISTICS):
            statistics[name.removesuffix(_STATISTICS)] = _named_statistics(values[0].numpy().astype(float).tolist())
    if "f0" not in statistics:
        raise ValueError(f"{transform_graph} holds no statistics: was it written by {__name__}.preprocessing_fn?")
    return statistics


def _named_statistics(values: list[float]) -> dict[str, Any]:
    mean, deviation, variance, *quantiles = values
    return {
        "mean": mean,
        "deviation": deviation,
        "variance": variance,
        "min": quantiles[0],
        "max": quantiles[-1],
        "quantiles": quantiles,
    }


def _fixed(name: str, values: Any) -> tf.Tensor:
    import tensorflow as tf

    if not isinstance(values, tf.Tensor):
        raise ValueError(f"feature {name} has no fixed length: give it a shape in the schema")
    return values


def _moments(values: tf.Tensor, mask: tf.Tensor, around: float) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Compute mean, deviation (at least MIN_DEVIATION) and variance of the frames in the mask, both [batch, frames]."""
    import tensorflow as tf
    import tensorflow_transform as tft

    # Sums around a typical value, in float64: a variance as the difference of two large numbers would be lost.
    wide, weights = tf.cast(values - around, tf.float64), tf.cast(mask, tf.float64)
    total = tft.sum(weights)
    offset = tf.math.divide_no_nan(tft.sum(wide * weights), total)
    square = tf.math.divide_no_nan(tft.sum(tf.square(wide) * weights), total)
    variance = tf.cast(tf.maximum(square - tf.square(offset), 0.0), tf.float32)
    return tf.cast(offset, tf.float32) + around, tf.maximum(tf.sqrt(variance), MIN_DEVIATION), variance


def _quantiles(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Compute minimum, percentiles 1 to 99 and maximum of the frames in the mask. Shape [QUANTILES]."""
    import tensorflow as tf
    import tensorflow_transform as tft

    # A tiny weight everywhere: with no frame in the mask TFT would have nothing to sort.
    weights = tf.cast(tf.reshape(mask, [-1]), tf.float32) + 1e-6
    inner = tft.quantiles(tf.reshape(values, [-1]), QUANTILES - 1, epsilon=QUANTILE_ERROR, weights=weights)[0]
    least = tft.min(tf.where(mask, values, values.dtype.max))
    greatest = tft.max(tf.where(mask, values, values.dtype.min))
    ends = tf.minimum(least, inner[:1]), tf.maximum(greatest, inner[-1:])
    return tf.concat([ends[0], inner, ends[1]], axis=0)
