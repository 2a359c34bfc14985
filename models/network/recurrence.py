"""The GRU's loop over frames, the one part of a model that cannot be done for all frames at once.

`recur` is plain: it takes any length, streams, and converts to TensorFlow.js. `recur_in_training` computes the same for
a length known when the graph is traced. XLA compiles its loops, and its gradient is written by hand: what the states
said to the gates follows from the states by one large product, so the way forward keeps these and its inputs only, and
the way back multiplies once a frame, by the transposed kernel. TensorFlow's own gradient of a loop adds up an outer
product of the kernel's size every frame.

Shapes: T frames, B batch, U units. Gates are columns in the order update, reset, candidate (Keras: reset_after=True):

    q = h W + b;  z = sigmoid(x_z + q_z);  r = sigmoid(x_r + q_r);  c = tanh(x_c + r q_c);  h' = c + z (h - c)
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Recurrence = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def recur(inputs: tf.Tensor, state: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Run a GRU over frames.

    Args:
      inputs: shape [T, B, 3U], what the inputs say to the gates.
      state: shape [B, U], before the first frame.
      kernel: shape [U, 3U], what the state says to the gates.
      bias: shape [3U].

    Returns:
      The states after every frame [T, B, U], and the last one.
    """
    frames = tf.shape(inputs)[0]
    gates = tf.TensorArray(tf.float32, size=frames, element_shape=inputs.shape[1:]).unstack(inputs)
    states = tf.TensorArray(tf.float32, size=frames, element_shape=state.shape)

    def frame(t: tf.Tensor, h: tf.Tensor, states: tf.TensorArray) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
        update, _, candidate, _ = _gates(gates.read(t), tf.matmul(h, kernel) + bias)
        h = candidate + update * (h - candidate)
        return t + 1, h, states.write(t, h)

    _, last, states = tf.while_loop(
        lambda t, *_: t < frames, frame, (0, state, states), maximum_iterations=frames, parallel_iterations=1
    )
    return states.stack(), last


@tf.custom_gradient
def recur_in_training(
    inputs: tf.Tensor, state: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable[..., tuple[tf.Tensor, ...]]]:
    """`recur` inside a graph in which T is known: faster, and far cheaper to differentiate."""
    states, last = _compiled_recur(inputs, state, kernel, bias)

    def gradient(of_states: tf.Tensor, of_last: tf.Tensor) -> tuple[tf.Tensor, ...]:
        units = state.shape[-1]
        with tf.control_dependencies([of_states]):  # `heard` is large: not before it is asked for
            before = tf.concat([state[tf.newaxis], states[:-1]], axis=0)  # [T, B, U]
        rows = tf.reshape(before, [-1, units])  # [T B, U]
        heard = tf.reshape(tf.matmul(rows, kernel) + bias, tf.shape(inputs))  # [T, B, 3U]
        of_heard, of_candidate, of_state = _compiled_return(
            inputs, heard, before, of_states, of_last, tf.transpose(kernel)
        )
        of_inputs = tf.concat([of_heard[..., : 2 * units], of_candidate], axis=-1)
        of_rows = tf.reshape(of_heard, [-1, 3 * units])
        return of_inputs, of_state, tf.matmul(rows, of_rows, transpose_a=True), tf.reduce_sum(of_rows, axis=0)

    return (states, last), gradient


def _gates(x: tf.Tensor, heard: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Update, reset, candidate and q_c, each [..., U], from what the inputs and the state say."""
    x_update, x_reset, x_candidate = tf.split(x, 3, axis=-1)
    q_update, q_reset, q_candidate = tf.split(heard, 3, axis=-1)
    reset = tf.sigmoid(x_reset + q_reset)
    return tf.sigmoid(x_update + q_update), reset, tf.tanh(x_candidate + reset * q_candidate), q_candidate


@tf.function(autograph=False, jit_compile=True)
def _compiled_recur(
    inputs: tf.Tensor, state: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    return recur(inputs, state, kernel, bias)


@tf.function(autograph=False, jit_compile=True)
def _compiled_return(
    inputs: tf.Tensor,
    heard: tf.Tensor,
    before: tf.Tensor,
    of_states: tf.Tensor,
    of_last: tf.Tensor,
    transposed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The way back through the frames.

    Args:
      inputs: shape [T, B, 3U], what the inputs said to the gates; heard: same shape, what the states said.
      before: shape [T, B, U], the states before every frame.
      of_states: shape [T, B, U], what the loss asks of every state; of_last: shape [B, U], besides, of the last one.
      transposed: the kernel, shape [3U, U].

    Returns:
      Gradients of `heard` [T, B, 3U], of the candidate's inputs [T, B, U] (of the other inputs they are those of
      `heard`), and of the state before the first frame [B, U].
    """
    frames, batch, columns = inputs.shape

    def by_frame(values: tf.Tensor | None = None, width: int = columns // 3) -> tf.TensorArray:
        empty = tf.TensorArray(tf.float32, size=frames, element_shape=[batch, width])
        return empty if values is None else empty.unstack(values)

    xs, qs = by_frame(inputs, columns), by_frame(heard, columns)
    hs, asked = by_frame(before), by_frame(of_states)

    def frame(
        t: tf.Tensor, of_h: tf.Tensor, of_heard: tf.TensorArray, of_candidate: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray]:
        of_h += asked.read(t)
        update, reset, candidate, q_candidate = _gates(xs.read(t), qs.read(t))
        by_candidate = of_h * (1.0 - update) * (1.0 - tf.square(candidate))
        by_update = of_h * (hs.read(t) - candidate) * update * (1.0 - update)
        by_reset = by_candidate * q_candidate * reset * (1.0 - reset)
        by_heard = tf.concat([by_update, by_reset, by_candidate * reset], axis=-1)
        of_h = update * of_h + tf.matmul(by_heard, transposed)
        return t - 1, of_h, of_heard.write(t, by_heard), of_candidate.write(t, by_candidate)

    _, of_state, of_heard, of_candidate = tf.while_loop(
        lambda t, *_: t >= 0,
        frame,
        (frames - 1, of_last, by_frame(width=columns), by_frame()),
        maximum_iterations=frames,
        parallel_iterations=1,
    )
    return of_heard.stack(), of_candidate.stack(), of_state
