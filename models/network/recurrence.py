"""The GRU's loop over frames, the one part of a model that cannot be computed for all frames at once.

`recur` is plain: it takes any length, streams, and converts to TensorFlow.js. `recur_in_training` computes the same for
a length known when the graph is traced. XLA compiles its loops, and its gradient is written by hand: the recurrent
pre-activations follow from the states by one large product, so the forward pass stores the states and the inputs only,
and the backward pass multiplies once a frame, by the transposed kernel. TensorFlow's own gradient of a loop adds up an
outer product of the kernel's size every frame.

Shapes: T frames, B batch, U units. Gates are columns in the order update, reset, candidate (Keras: reset_after=True),
x the input pre-activations, q the recurrent ones:

    q = h W + b;  z = sigmoid(x_z + q_z);  r = sigmoid(x_r + q_r);  c = tanh(x_c + r q_c);  h' = c + z (h - c)
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Recurrence = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def recur(inputs: tf.Tensor, state: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Run a GRU over frames.

    Args:
      inputs: shape [T, B, 3U], pre-activations of the gates from the inputs.
      state: shape [B, U], before the first frame.
      kernel: shape [U, 3U], of the recurrent pre-activations.
      bias: shape [3U], of the same.

    Returns:
      The states after every frame [T, B, U], and the last state [B, U].
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
    """Run `recur` in a graph in which T is known: faster, and far cheaper to differentiate. Shapes as in `recur`."""
    states, last = _compiled_recur(inputs, state, kernel, bias)

    def gradient(grad_states: tf.Tensor, grad_last: tf.Tensor) -> tuple[tf.Tensor, ...]:
        units = state.shape[-1]
        with tf.control_dependencies([grad_states]):  # `recurrent` is large: it waits for the backward pass
            before = tf.concat([state[tf.newaxis], states[:-1]], axis=0)  # [T, B, U]
        rows = tf.reshape(before, [-1, units])  # [T B, U]
        recurrent = tf.reshape(tf.matmul(rows, kernel) + bias, tf.shape(inputs))  # [T, B, 3U]
        grad_recurrent, grad_candidate, grad_state = _compiled_backward(
            inputs, recurrent, before, grad_states, grad_last, tf.transpose(kernel)
        )
        grad_inputs = tf.concat([grad_recurrent[..., : 2 * units], grad_candidate], axis=-1)
        grad_rows = tf.reshape(grad_recurrent, [-1, 3 * units])
        return grad_inputs, grad_state, tf.matmul(rows, grad_rows, transpose_a=True), tf.reduce_sum(grad_rows, axis=0)

    return (states, last), gradient


def _gates(x: tf.Tensor, q: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Compute update, reset, candidate and q_c, each [..., U], from the pre-activations x and q, each [..., 3U]."""
    x_update, x_reset, x_candidate = tf.split(x, 3, axis=-1)
    q_update, q_reset, q_candidate = tf.split(q, 3, axis=-1)
    reset = tf.sigmoid(x_reset + q_reset)
    return tf.sigmoid(x_update + q_update), reset, tf.tanh(x_candidate + reset * q_candidate), q_candidate


@tf.function(autograph=False, jit_compile=True)
def _compiled_recur(
    inputs: tf.Tensor, state: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    return recur(inputs, state, kernel, bias)


@tf.function(autograph=False, jit_compile=True)
def _compiled_backward(
    inputs: tf.Tensor,
    recurrent: tf.Tensor,
    before: tf.Tensor,
    grad_states: tf.Tensor,
    grad_last: tf.Tensor,
    transposed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Compute gradients by back-propagation through time.

    Args:
      inputs: shape [T, B, 3U], pre-activations from the inputs; recurrent: same shape, from the states.
      before: shape [T, B, U], the states before every frame.
      grad_states: shape [T, B, U], of the loss by every state; grad_last: shape [B, U], besides, by the last state.
      transposed: the kernel, shape [3U, U].

    Returns:
      Gradients by `recurrent` [T, B, 3U], by the candidate's inputs [T, B, U] (those by the other inputs are those by
      `recurrent`), and by the state before the first frame [B, U].
    """
    frames, batch, columns = inputs.shape

    def by_frame(values: tf.Tensor | None = None, width: int = columns // 3) -> tf.TensorArray:
        empty = tf.TensorArray(tf.float32, size=frames, element_shape=[batch, width])
        return empty if values is None else empty.unstack(values)

    xs, qs = by_frame(inputs, columns), by_frame(recurrent, columns)
    hs, grad_hs = by_frame(before), by_frame(grad_states)

    def frame(
        t: tf.Tensor, grad_h: tf.Tensor, grad_recurrent: tf.TensorArray, grad_candidate: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray]:
        grad_h += grad_hs.read(t)
        update, reset, candidate, q_candidate = _gates(xs.read(t), qs.read(t))
        by_candidate = grad_h * (1.0 - update) * (1.0 - tf.square(candidate))
        by_update = grad_h * (hs.read(t) - candidate) * update * (1.0 - update)
        by_reset = by_candidate * q_candidate * reset * (1.0 - reset)
        by_recurrent = tf.concat([by_update, by_reset, by_candidate * reset], axis=-1)
        grad_h = update * grad_h + tf.matmul(by_recurrent, transposed)
        return t - 1, grad_h, grad_recurrent.write(t, by_recurrent), grad_candidate.write(t, by_candidate)

    _, grad_state, grad_recurrent, grad_candidate = tf.while_loop(
        lambda t, *_: t >= 0,
        frame,
        (frames - 1, grad_last, by_frame(width=columns), by_frame()),
        maximum_iterations=frames,
        parallel_iterations=1,
    )
    return grad_recurrent.stack(), grad_candidate.stack(), grad_state
