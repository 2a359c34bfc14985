"""Decoders: the networks from features (pitch, loudness) to raw controls of the synthesiser, frame by frame.

Two causal architectures with one interface: `GruDecoder` (ddsp's RnnFcDecoder) and `CnnDecoder` (dilated convolutions).
`decoder(inputs)` computes a whole clip; `decoder.step(inputs, state)` the next frames of it, with the same results.
`HeldDecoder` runs either at a lower rate and holds its outputs in between.
Plain variables with readable names and no Keras layers: a variable's name is its name in the manifest, and the constant
that it becomes in a frozen graph is named after it (`_named`), so that engines without TensorFlow find their weights.

Shapes: B batch, T frames, U units or channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from models.network.config import CnnConfig, GruConfig
from models.network.recomputation import RecomputedInput
from models.network.recurrence import Recurrence, recur, recur_in_training

DECODER_PREFIX = "decoder/"  # of the names of all variables
LAYER_NORM_EPSILON = 1e-3
LEAKY_SLOPE = 0.2

State = dict[str, tf.Tensor]
Outputs = dict[str, tf.Tensor]


def make_decoder(
    config: GruConfig | CnnConfig, inputs: Sequence[str], outputs: Mapping[str, int], seed: int = 0
) -> Decoder:
    """Build the decoder of a configuration.

    Args:
      config: architecture and size.
      inputs: names of its scalar input features, in order; they name variables.
      outputs: raw control -> channels, in the order of the last layer's columns.
      seed: of the initial weights.

    Returns:
      inputs, each [B, T, 1] -> raw control -> [B, T, channels], not yet scaled.
    """
    random = np.random.default_rng(seed)
    decoder: GruDecoder | CnnDecoder
    if isinstance(config, GruConfig):
        decoder = GruDecoder(config, inputs, outputs, random)
    else:
        decoder = CnnDecoder(config, inputs, outputs, random)
    return decoder if config.hold == 1 else HeldDecoder(decoder, config.hold)


class Dense(tf.Module):
    """Dense layer, x @ kernel + bias over the last axis. Variables: kernel [inputs, units], bias [units]."""

    def __init__(self, path: str, inputs: int, units: int, random: np.random.Generator, gain: float = 1.0):
        super().__init__()
        limit = gain * math.sqrt(6.0 / (inputs + units))  # Glorot & Bengio 2010
        self.kernel = _variable(f"{path}/kernel", random.uniform(-limit, limit, (inputs, units)))
        self.bias = _variable(f"{path}/bias", np.zeros(units))

    def __call__(self, x: RecomputedInput) -> tf.Tensor:
        """Apply the layer: [B, T, inputs] -> [B, T, units]."""
        return x.matmul(_named(self.kernel)) + _named(self.bias)


class LayerNorm(tf.Module):
    """Layer normalisation over the channels of a frame, thus causal (Ba et al. 2016). Variables: gamma, beta."""

    def __init__(self, path: str, units: int):
        super().__init__()
        self.gamma = _variable(f"{path}/gamma", np.ones(units))
        self.beta = _variable(f"{path}/beta", np.zeros(units))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Normalise x. Shape [..., units] in and out."""
        return _standardised(x) * _named(self.gamma) + _named(self.beta)


class DenseStack(tf.Module):
    """Layers of Dense - LayerNorm - leaky ReLU (ddsp's FcStack); without layers, the identity."""

    def __init__(self, path: str, inputs: int, units: int, layers: int, random: np.random.Generator):
        super().__init__()
        widths = [inputs] + [units] * layers
        self.width = widths[-1]
        self.dense = [Dense(f"{path}/{i}/dense", widths[i], units, random) for i in range(layers)]
        self.norm = [LayerNorm(f"{path}/{i}/norm", units) for i in range(layers)]

    def __call__(self, x: RecomputedInput) -> RecomputedInput:
        """Apply the layers: [B, T, inputs] -> [B, T, width]."""
        for dense, norm in zip(self.dense, self.norm, strict=True):
            x = RecomputedInput(_activated, (_standardised(dense(x)), _named(norm.gamma), _named(norm.beta)))
        return x


class Gru(tf.Module):
    """A gated recurrent unit with the reset gate after the product (Keras: reset_after=True; Cho et al. 2014).

    Variables: kernel [inputs, 3U], recurrent_kernel [U, 3U], bias [3U] of the input, recurrent_bias [3U] of the state
    (the two rows of Keras's bias). Columns: update, reset, candidate.
    """

    def __init__(self, path: str, inputs: int, units: int, random: np.random.Generator):
        super().__init__()
        self.units = units
        limit = math.sqrt(6.0 / (inputs + 3 * units))
        self.kernel = _variable(f"{path}/kernel", random.uniform(-limit, limit, (inputs, 3 * units)))
        self.recurrent_kernel = _variable(f"{path}/recurrent_kernel", _orthogonal(random, units, 3 * units))
        self.bias = _variable(f"{path}/bias", np.zeros(3 * units))
        self.recurrent_bias = _variable(f"{path}/recurrent_bias", np.zeros(3 * units))

    def __call__(
        self, x: RecomputedInput, state: tf.Tensor, recurrence: Recurrence = recur
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Run over frames [B, T, inputs] from a state [B, U]: states [B, T, U] after every frame, and the last one."""
        recurrent_kernel, recurrent_bias = _named(self.recurrent_kernel), _named(self.recurrent_bias)
        # The product with the inputs needs no state, so it stays outside the loop.
        projected = x.matmul(_named(self.kernel)) + _named(self.bias)  # [B, T, 3U]
        states, last = recurrence(tf.transpose(projected, [1, 0, 2]), state, recurrent_kernel, recurrent_bias)
        return tf.transpose(states, [1, 0, 2]), last


class CausalConv(tf.Module):
    """A causal dilated convolution: the output at frame t depends on frames t, t - d, ... t - (taps - 1) d.

    Variables: kernel [taps, 1, U, U] (oldest tap first; the second axis is Conv2D's), bias [U].
    """

    def __init__(self, path: str, channels: int, taps: int, dilation: int, random: np.random.Generator):
        super().__init__()
        self.taps, self.dilation = taps, dilation
        deviation = 1.0 / math.sqrt(taps * channels)
        self.kernel = _variable(f"{path}/kernel", deviation * random.standard_normal((taps, 1, channels, channels)))
        self.bias = _variable(f"{path}/bias", np.zeros(channels))

    @property
    def memory(self) -> int:
        """Past frames in its receptive field."""
        return (self.taps - 1) * self.dilation

    def __call__(self, x: tf.Tensor, past: tf.Tensor | None) -> tf.Tensor:
        """Convolve frames [B, T, U], given the `memory` frames before them (None: zeros). Shape [B, T, U].

        The time axis is folded into rows of `dilation` frames, so that taps lie under each other: an ordinary
        convolution along the first of two axes. TensorFlow differentiates that on a CPU, which it does not do for
        dilated convolutions, at half the cost of gathering shifted copies.
        """
        channels = x.shape[-1]
        frames = tf.shape(x)[1]
        rows = (frames + self.dilation - 1) // self.dilation
        before = self.memory if past is None else 0
        padded = x if past is None else tf.concat([past, x], axis=1)
        folded = tf.pad(padded, [[0, 0], [before, rows * self.dilation - frames], [0, 0]])
        folded = tf.reshape(folded, [-1, rows + self.taps - 1, self.dilation, channels])  # [B, T/d, d, U]
        y = tf.nn.conv2d(folded, _named(self.kernel), strides=1, padding="VALID")
        # tf.slice and not [:, :frames]: its gradient costs a quarter
        y = tf.slice(tf.reshape(y, [-1, rows * self.dilation, channels]), [0, 0, 0], [-1, frames, -1])
        y.set_shape(x.shape)
        return y + _named(self.bias)


class GruDecoder(tf.Module):
    """ddsp's RnnFcDecoder: a dense stack an input, a GRU over all of them, a dense stack over inputs and states.

    Layers: `INPUT_stack` for every input, `gru`, `output_stack`, `output`. State: `gru` [B, U].
    """

    def __init__(
        self, config: GruConfig, inputs: Sequence[str], outputs: Mapping[str, int], random: np.random.Generator
    ):
        super().__init__()
        self.outputs = dict(outputs)
        width, layers = config.stack_units, config.stack_layers
        self.input_stacks = [DenseStack(f"{DECODER_PREFIX}{name}_stack", 1, width, layers, random) for name in inputs]
        stacked = sum(stack.width for stack in self.input_stacks)
        self.gru = Gru(f"{DECODER_PREFIX}gru", stacked, config.units, random)
        self.output_stack = DenseStack(f"{DECODER_PREFIX}output_stack", stacked + config.units, width, layers, random)
        self.output = Dense(f"{DECODER_PREFIX}output", self.output_stack.width, sum(outputs.values()), random)

    def __call__(self, inputs: Sequence[tf.Tensor], training: bool = False) -> Outputs:
        """Compute raw controls of a whole clip.

        Args:
          inputs: in the order of their names, each [B, T, 1].
          training: use operations with a cheap gradient; B and T must be known when the graph is traced.

        Returns:
          Output name -> [B, T, channels].
        """
        batch = inputs[0].shape[0] if training else tf.shape(inputs[0])[0]
        outputs, _ = self._run(inputs, self.initial_state(batch), training)
        return outputs

    def initial_state(self, batch: int | tf.Tensor) -> State:
        """Return the state before the first frame; shapes as in the class's docstring."""
        return {"gru": tf.zeros([batch, self.gru.units])}

    def step(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """Compute the next T >= 1 frames: inputs each [B, T, 1] -> outputs [B, T, channels], and the state after."""
        return self._run(inputs, state, training=False)

    def _run(
        self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor], training: bool
    ) -> tuple[Outputs, State]:
        stacked = [stack(RecomputedInput.of(x)) for stack, x in zip(self.input_stacks, inputs, strict=True)]
        if not training:  # two products need them: without a backward pass they are computed once
            stacked = [each.evaluated() for each in stacked]
        recurrence = recur_in_training if training else recur
        states, last = self.gru(RecomputedInput.concatenated(stacked), state["gru"], recurrence)
        hidden = self.output_stack(RecomputedInput.concatenated([*stacked, RecomputedInput.of(states)]))
        return _split(self.output(hidden), self.outputs), {"gru": last}


class CnnDecoder(tf.Module):
    """A causal dilated CNN (after van den Oord et al. 2016): a layer is x + leaky_relu(conv(norm(x))).

    Layers: `input` (all inputs together), `layer_N/norm` and `layer_N/conv`, `output`. State: `layer_N`, the normalised
    frames that its convolution still needs, [B, memory, U]; before the first frame they are zeros.
    """

    def __init__(
        self, config: CnnConfig, inputs: Sequence[str], outputs: Mapping[str, int], random: np.random.Generator
    ):
        super().__init__()
        self.outputs = dict(outputs)
        self.channels = config.channels
        self.input = Dense(f"{DECODER_PREFIX}input", len(inputs), config.channels, random)
        self.norms, self.convs = [], []
        for i in range(config.layers):
            path, dilation = f"{DECODER_PREFIX}layer_{i}", 2 ** (i % config.dilation_cycle)
            self.norms.append(LayerNorm(f"{path}/norm", config.channels))
            self.convs.append(CausalConv(f"{path}/conv", config.channels, config.kernel, dilation, random))
        # A small last layer starts every control near the middle of its range.
        self.output = Dense(f"{DECODER_PREFIX}output", config.channels, sum(outputs.values()), random, gain=0.3)

    def __call__(self, inputs: Sequence[tf.Tensor], training: bool = False) -> Outputs:
        """Compute raw controls of a whole clip.

        Args:
          inputs: in the order of their names, each [B, T, 1].
          training: has no effect here.

        Returns:
          Output name -> [B, T, channels].
        """
        del training
        outputs, _ = self._run(inputs, {})
        return outputs

    def initial_state(self, batch: int | tf.Tensor) -> State:
        """Return the state before the first frame; shapes as in the class's docstring."""
        return {name: tf.zeros([batch, conv.memory, self.channels]) for name, _, conv in self._layers()}

    def step(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """Compute the next T >= 1 frames: inputs each [B, T, 1] -> outputs [B, T, channels], and the state after."""
        outputs, normalised = self._run(inputs, state)
        after = {name: tf.concat([state[name], x], axis=1)[:, tf.shape(x)[1] :] for name, x in normalised.items()}
        return outputs, after

    def _run(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """Compute the outputs, and every layer's normalised frames [B, T, U]."""
        x = self.input(RecomputedInput.of(tf.concat(list(inputs), axis=-1)))
        normalised = {}
        for name, norm, conv in self._layers():
            normalised[name] = norm(x)
            x += tf.nn.leaky_relu(conv(normalised[name], state.get(name)), LEAKY_SLOPE)
        return _split(self.output(RecomputedInput.of(x)), self.outputs), normalised

    def _layers(self) -> Iterator[tuple[str, LayerNorm, CausalConv]]:
        for i, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True)):
            yield f"layer_{i}", norm, conv


class HeldDecoder(tf.Module):
    """A decoder that runs at the first of every `hold` frames and holds its outputs until the next of these.

    State: the decoder's own; `held_NAME` [B, 1, channels], the last outputs; `frames_until_run`, scalar int.
    """

    def __init__(self, decoder: GruDecoder | CnnDecoder, hold: int):
        super().__init__()
        self.outputs, self._decoder, self._hold = decoder.outputs, decoder, hold

    def __call__(self, inputs: Sequence[tf.Tensor], training: bool = False) -> Outputs:
        """Compute raw controls of a whole clip; arguments and result as for the decoder itself."""
        frames, known = tf.shape(inputs[0])[1], inputs[0].shape[:2]
        outputs = self._decoder([x[:, :: self._hold] for x in inputs], training)
        return {name: self._repeated(value, frames, known) for name, value in outputs.items()}

    def _repeated(self, x: tf.Tensor, frames: tf.Tensor, known: tf.TensorShape) -> tf.Tensor:
        """Repeat every frame: [B, ceil(T / hold), channels] -> [B, T, channels]."""
        channels = x.shape[-1]
        batch = tf.shape(x)[0] if known[0] is None else known[0]
        repeated = tf.tile(x[:, :, tf.newaxis], [1, 1, self._hold, 1])  # [B, T / hold, hold, channels]
        repeated = tf.reshape(repeated, [batch, -1, channels])[:, :frames]
        repeated.set_shape([*known, channels])
        return repeated

    def initial_state(self, batch: int | tf.Tensor) -> State:
        """Return the state before the first frame; shapes as in the class's docstring."""
        held = {f"held_{name}": tf.zeros([batch, 1, channels]) for name, channels in self.outputs.items()}
        return {**self._decoder.initial_state(batch), **held, "frames_until_run": tf.constant(0)}

    def step(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """Compute the next T >= 1 frames: inputs each [B, T, 1] -> outputs [B, T, channels], and the state after."""
        frames, first = tf.shape(inputs[0])[1], state["frames_until_run"]
        own = {name: state[name] for name in state if name != "frames_until_run" and not name.startswith("held_")}
        held = {name: state[f"held_{name}"] for name in self.outputs}

        def run() -> tuple[Outputs, State]:
            outputs, after = self._decoder.step([x[:, first :: self._hold] for x in inputs], own)
            return {name: tf.concat([held[name], value], axis=1) for name, value in outputs.items()}, after

        computed, own = tf.cond(first < frames, run, lambda: (held, own))  # [B, 1 + number of runs, channels]
        which = (tf.range(frames) - first + self._hold) // self._hold  # [T]; 0 is what was held before
        outputs = {name: tf.gather(value, which, axis=1) for name, value in computed.items()}
        after = {f"held_{name}": value[:, -1:] for name, value in outputs.items()}
        return outputs, {**own, **after, "frames_until_run": (first - frames) % self._hold}


Decoder = GruDecoder | CnnDecoder | HeldDecoder


def _variable(name: str, values: np.ndarray) -> tf.Variable:
    return tf.Variable(values.astype(np.float32), name=name)


def _named(variable: tf.Variable) -> tf.Tensor:
    """Read a variable by an operation of its name: the constant that freezing puts there is called after it."""
    with tf.name_scope(variable.name.removesuffix(":0")):
        return variable.read_value()


@tf.custom_gradient
def _standardised(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Standardise over the last axis: mean 0, variance 1. The backward pass needs only the result and the scale."""
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    scale = tf.math.rsqrt(variance + LAYER_NORM_EPSILON)
    result = centred * scale

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        along = tf.reduce_mean(upstream * result, axis=-1, keepdims=True)
        return scale * (upstream - tf.reduce_mean(upstream, axis=-1, keepdims=True) - result * along)

    return result, gradient


def _activated(standardised: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """Complete a layer of a dense stack after standardisation: the norm's scale and offset, and leaky ReLU."""
    return tf.nn.leaky_relu(standardised * gamma + beta, LEAKY_SLOPE)


def _split(x: tf.Tensor, outputs: Mapping[str, int]) -> Outputs:
    return dict(zip(outputs, tf.split(x, list(outputs.values()), axis=-1), strict=True))


def _orthogonal(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Draw a matrix with orthonormal rows (Saxe et al. 2013). Shape [rows, columns], rows <= columns."""
    q, r = np.linalg.qr(random.standard_normal((columns, rows)))
    return (q * np.sign(np.diag(r))).T
