"""The networks: what a player does (pitch, loudness) to what a synthesiser needs (raw controls), frame by frame.

Two causal architectures with one interface: `GruDecoder` (ddsp's RnnFcDecoder) and `CnnDecoder` (dilated convolutions).
`decoder(inputs)` hears a whole clip; `decoder.step(inputs, state)` hears the next frames of it and gives the same.
`HeldDecoder` runs either at a lower rate of its own and holds what it says in between.
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
from models.network.recomputation import Operand
from models.network.recurrence import Recurrence, recur, recur_in_training

PREFIX = "decoder/"  # of the names of all variables
LAYER_NORM_EPSILON = 1e-3
LEAKY_SLOPE = 0.2

State = dict[str, tf.Tensor]
Outputs = dict[str, tf.Tensor]


def make_decoder(
    config: GruConfig | CnnConfig, inputs: Sequence[str], outputs: Mapping[str, int], seed: int = 0
) -> Decoder:
    """Build the decoder that a configuration asks for.

    Args:
      config: architecture and size.
      inputs: names of the scalar features it hears, in order; they name variables.
      outputs: raw control -> channels, in the order of the last layer's columns.
      seed: of the initial weights.
    """
    random = np.random.default_rng(seed)
    made: GruDecoder | CnnDecoder
    if isinstance(config, GruConfig):
        made = GruDecoder(config, inputs, outputs, random)
    else:
        made = CnnDecoder(config, inputs, outputs, random)
    return made if config.hold == 1 else HeldDecoder(made, config.hold)


class Dense(tf.Module):
    """x @ kernel + bias over the last axis. Variables: kernel [inputs, units], bias [units]."""

    def __init__(self, path: str, inputs: int, units: int, random: np.random.Generator, gain: float = 1.0):
        super().__init__()
        limit = gain * math.sqrt(6.0 / (inputs + units))  # Glorot & Bengio 2010
        self.kernel = _variable(f"{path}/kernel", random.uniform(-limit, limit, (inputs, units)))
        self.bias = _variable(f"{path}/bias", np.zeros(units))

    def __call__(self, x: Operand) -> tf.Tensor:
        """[B, T, inputs] -> [B, T, units]."""
        return x.times(_named(self.kernel)) + _named(self.bias)


class LayerNorm(tf.Module):
    """Normalises a frame over its channels, so it never looks ahead (Ba et al. 2016). Variables: gamma, beta."""

    def __init__(self, path: str, units: int):
        super().__init__()
        self.gamma = _variable(f"{path}/gamma", np.ones(units))
        self.beta = _variable(f"{path}/beta", np.zeros(units))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """[..., units] -> the same shape."""
        return _standardised(x) * _named(self.gamma) + _named(self.beta)


class DenseStack(tf.Module):
    """Layers of Dense - LayerNorm - leaky ReLU (ddsp's FcStack); none passes on what comes in."""

    def __init__(self, path: str, inputs: int, units: int, layers: int, random: np.random.Generator):
        super().__init__()
        widths = [inputs] + [units] * layers
        self.width = widths[-1]
        self.dense = [Dense(f"{path}/{i}/dense", widths[i], units, random) for i in range(layers)]
        self.norm = [LayerNorm(f"{path}/{i}/norm", units) for i in range(layers)]

    def __call__(self, x: Operand) -> Operand:
        """[B, T, inputs] -> [B, T, width]."""
        for dense, norm in zip(self.dense, self.norm, strict=True):
            x = Operand(_activated, (_standardised(dense(x)), _named(norm.gamma), _named(norm.beta)))
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

    def __call__(self, x: Operand, state: tf.Tensor, recurrence: Recurrence = recur) -> tuple[tf.Tensor, tf.Tensor]:
        """[B, T, inputs] and the state [B, U] before them -> states [B, T, U] after every frame, and the last one."""
        recurrent_kernel, recurrent_bias = _named(self.recurrent_kernel), _named(self.recurrent_bias)
        # The product with the inputs needs no state, so it stays outside the loop.
        projected = x.times(_named(self.kernel)) + _named(self.bias)  # [B, T, 3U]
        states, last = recurrence(tf.transpose(projected, [1, 0, 2]), state, recurrent_kernel, recurrent_bias)
        return tf.transpose(states, [1, 0, 2]), last


class CausalConv(tf.Module):
    """A dilated convolution over the past: frame t hears t, t - d, ... t - (taps - 1) d.

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
        """Frames of the past that it hears."""
        return (self.taps - 1) * self.dilation

    def __call__(self, x: tf.Tensor, past: tf.Tensor | None) -> tf.Tensor:
        """[B, T, U] and the `memory` frames before them (None: zeros) -> [B, T, U].

        The time axis is folded into rows of `dilation` frames, so that taps stand under each other: an ordinary
        convolution along the first of two axes. TensorFlow differentiates that on a CPU, which it does not do for
        dilated ones, at half the cost of gathering shifted copies.
        """
        channels = x.shape[-1]
        frames = tf.shape(x)[1]
        rows = (frames + self.dilation - 1) // self.dilation
        before = self.memory if past is None else 0
        heard = x if past is None else tf.concat([past, x], axis=1)
        folded = tf.pad(heard, [[0, 0], [before, rows * self.dilation - frames], [0, 0]])
        folded = tf.reshape(folded, [-1, rows + self.taps - 1, self.dilation, channels])  # [B, T/d, d, U]
        y = tf.nn.conv2d(folded, _named(self.kernel), strides=1, padding="VALID")
        # tf.slice and not [:, :frames]: its gradient costs a quarter
        y = tf.slice(tf.reshape(y, [-1, rows * self.dilation, channels]), [0, 0, 0], [-1, frames, -1])
        y.set_shape(x.shape)
        return y + _named(self.bias)


class GruDecoder(tf.Module):
    """ddsp's RnnFcDecoder: a dense stack an input, a GRU over all of them, a dense stack on top of inputs and states.

    Layers: `INPUT_stack` for every input, `gru`, `output_stack`, `output`. State: `gru` [B, U].
    """

    def __init__(
        self, config: GruConfig, inputs: Sequence[str], outputs: Mapping[str, int], random: np.random.Generator
    ):
        super().__init__()
        self.outputs = dict(outputs)
        width, layers = config.stack_units, config.stack_layers
        self.input_stacks = [DenseStack(f"{PREFIX}{name}_stack", 1, width, layers, random) for name in inputs]
        stacked = sum(stack.width for stack in self.input_stacks)
        self.gru = Gru(f"{PREFIX}gru", stacked, config.units, random)
        self.output_stack = DenseStack(f"{PREFIX}output_stack", stacked + config.units, width, layers, random)
        self.output = Dense(f"{PREFIX}output", self.output_stack.width, sum(outputs.values()), random)

    def __call__(self, inputs: Sequence[tf.Tensor], training: bool = False) -> Outputs:
        """Inputs in the order of their names, each [B, T, 1] -> output name -> [B, T, channels].

        With `training` the gradient is cheap, and B and T must be known when the graph is traced.
        """
        batch = inputs[0].shape[0] if training else tf.shape(inputs[0])[0]
        outputs, _ = self._run(inputs, self.initial_state(batch), training)
        return outputs

    def initial_state(self, batch: int | tf.Tensor) -> State:
        """The state before the first frame."""
        return {"gru": tf.zeros([batch, self.gru.units])}

    def step(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """The next T >= 1 frames: inputs each [B, T, 1] -> outputs [B, T, channels], and the state after them."""
        return self._run(inputs, state, training=False)

    def _run(
        self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor], training: bool
    ) -> tuple[Outputs, State]:
        stacked = [stack(Operand.of(x)) for stack, x in zip(self.input_stacks, inputs, strict=True)]
        if not training:  # two products need them: where none goes back, they are made once
            stacked = [operand.made() for operand in stacked]
        recurrence = recur_in_training if training else recur
        states, last = self.gru(Operand.joined(stacked), state["gru"], recurrence)
        hidden = self.output_stack(Operand.joined([*stacked, Operand.of(states)]))
        return _split(self.output(hidden), self.outputs), {"gru": last}


class CnnDecoder(tf.Module):
    """A causal dilated CNN (after van den Oord et al. 2016): a layer is x + leaky_relu(conv(norm(x))).

    Layers: `input` (all inputs together), `layer_N/norm` and `layer_N/conv`, `output`. State: `layer_N`, the normalised
    frames that its convolution still has to hear, [B, memory, U]; silence before the first frame is zeros.
    """

    def __init__(
        self, config: CnnConfig, inputs: Sequence[str], outputs: Mapping[str, int], random: np.random.Generator
    ):
        super().__init__()
        self.outputs = dict(outputs)
        self.channels = config.channels
        self.input = Dense(f"{PREFIX}input", len(inputs), config.channels, random)
        self.norms, self.convs = [], []
        for i in range(config.layers):
            path, dilation = f"{PREFIX}layer_{i}", 2 ** (i % config.dilation_cycle)
            self.norms.append(LayerNorm(f"{path}/norm", config.channels))
            self.convs.append(CausalConv(f"{path}/conv", config.channels, config.kernel, dilation, random))
        # A small last layer starts every control near the middle of its range.
        self.output = Dense(f"{PREFIX}output", config.channels, sum(outputs.values()), random, gain=0.3)

    def __call__(self, inputs: Sequence[tf.Tensor], training: bool = False) -> Outputs:
        """Inputs in the order of their names, each [B, T, 1] -> output name -> [B, T, channels].

        `training` changes nothing here.
        """
        del training
        outputs, _ = self._run(inputs, {})
        return outputs

    def initial_state(self, batch: int | tf.Tensor) -> State:
        """The state before the first frame."""
        return {name: tf.zeros([batch, conv.memory, self.channels]) for name, _, conv in self._layers()}

    def step(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """The next T >= 1 frames: inputs each [B, T, 1] -> outputs [B, T, channels], and the state after them."""
        outputs, normalised = self._run(inputs, state)
        after = {name: tf.concat([state[name], x], axis=1)[:, tf.shape(x)[1] :] for name, x in normalised.items()}
        return outputs, after

    def _run(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """Outputs, and the normalised frames [B, T, U] that every layer heard."""
        x = self.input(Operand.of(tf.concat(list(inputs), axis=-1)))
        heard = {}
        for name, norm, conv in self._layers():
            heard[name] = norm(x)
            x += tf.nn.leaky_relu(conv(heard[name], state.get(name)), LEAKY_SLOPE)
        return _split(self.output(Operand.of(x)), self.outputs), heard

    def _layers(self) -> Iterator[tuple[str, LayerNorm, CausalConv]]:
        for i, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True)):
            yield f"layer_{i}", norm, conv


class HeldDecoder(tf.Module):
    """A decoder that hears the first of every `hold` frames and whose outputs are held until the next of these.

    State: the decoder's own; `held_NAME` [B, 1, channels], the last outputs; `place`, frames until it hears again.
    """

    def __init__(self, decoder: GruDecoder | CnnDecoder, hold: int):
        super().__init__()
        self.outputs, self._decoder, self._hold = decoder.outputs, decoder, hold

    def __call__(self, inputs: Sequence[tf.Tensor], training: bool = False) -> Outputs:
        """As the decoder's."""
        frames, known = tf.shape(inputs[0])[1], inputs[0].shape[:2]
        outputs = self._decoder([x[:, :: self._hold] for x in inputs], training)
        return {name: self._repeated(value, frames, known) for name, value in outputs.items()}

    def _repeated(self, x: tf.Tensor, frames: tf.Tensor, known: tf.TensorShape) -> tf.Tensor:
        """[B, ceil(T / hold), channels] -> [B, T, channels]."""
        channels = x.shape[-1]
        batch = tf.shape(x)[0] if known[0] is None else known[0]
        repeated = tf.tile(x[:, :, tf.newaxis], [1, 1, self._hold, 1])  # [B, T / hold, hold, channels]
        repeated = tf.reshape(repeated, [batch, -1, channels])[:, :frames]
        repeated.set_shape([*known, channels])
        return repeated

    def initial_state(self, batch: int | tf.Tensor) -> State:
        """The state before the first frame."""
        held = {f"held_{name}": tf.zeros([batch, 1, channels]) for name, channels in self.outputs.items()}
        return {**self._decoder.initial_state(batch), **held, "place": tf.constant(0)}

    def step(self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]) -> tuple[Outputs, State]:
        """The next T >= 1 frames: inputs each [B, T, 1] -> outputs [B, T, channels], and the state after them."""
        frames, first = tf.shape(inputs[0])[1], state["place"]
        own = {name: value for name, value in state.items() if name != "place" and not name.startswith("held_")}
        held = {name: state[f"held_{name}"] for name in self.outputs}

        def hears() -> tuple[Outputs, State]:
            outputs, after = self._decoder.step([x[:, first :: self._hold] for x in inputs], own)
            return {name: tf.concat([held[name], value], axis=1) for name, value in outputs.items()}, after

        said, own = tf.cond(first < frames, hears, lambda: (held, own))  # [B, 1 + times it heard, channels]
        which = (tf.range(frames) - first + self._hold) // self._hold  # [T]; 0 is what was held before
        outputs = {name: tf.gather(value, which, axis=1) for name, value in said.items()}
        after = {f"held_{name}": value[:, -1:] for name, value in outputs.items()}
        return outputs, {**own, **after, "place": (first - frames) % self._hold}


Decoder = GruDecoder | CnnDecoder | HeldDecoder


def _variable(name: str, values: np.ndarray) -> tf.Variable:
    return tf.Variable(values.astype(np.float32), name=name)


def _named(variable: tf.Variable) -> tf.Tensor:
    """Read a variable by an operation of its name: the constant that freezing puts there is called after it."""
    with tf.name_scope(variable.name.removesuffix(":0")):
        return variable.read_value()


@tf.custom_gradient
def _standardised(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Mean 0 and variance 1 over the last axis. The way back needs the result and the scale, and nothing else."""
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    scale = tf.math.rsqrt(variance + LAYER_NORM_EPSILON)
    result = centred * scale

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        along = tf.reduce_mean(upstream * result, axis=-1, keepdims=True)
        return scale * (upstream - tf.reduce_mean(upstream, axis=-1, keepdims=True) - result * along)

    return result, gradient


def _activated(standardised: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """What follows the standardising in a layer of a dense stack: the norm's scale and offset, and leaky ReLU."""
    return tf.nn.leaky_relu(standardised * gamma + beta, LEAKY_SLOPE)


def _split(x: tf.Tensor, outputs: Mapping[str, int]) -> Outputs:
    return dict(zip(outputs, tf.split(x, list(outputs.values()), axis=-1), strict=True))


def _orthogonal(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Rows of length 1 at right angles to each other (Saxe et al. 2013). Shape [rows, columns], rows <= columns."""
    q, r = np.linalg.qr(random.standard_normal((columns, rows)))
    return (q * np.sign(np.diag(r))).T
