"""Gradient checkpointing: matrix products that store little for the backward pass.

The gradient of a product needs its left operand, which in a dense stack is the activation of the layer before, and in
front of a GRU several of those concatenated. These are cheap to compute beside the product itself: so the backward pass
computes them again, and only the tensors that they are computed from are stored, some of which are shared.

Shapes: B batch, T frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import tensorflow as tf


@dataclass(frozen=True)
class RecomputedInput:
    """The left operand of a matrix product, stored as the tensors that it is computed from.

    Attributes:
      function: saved tensors -> the operand [B, T, inputs].
      saved: tensors that are stored for the backward pass; each gets a gradient.
    """

    function: Callable[..., tf.Tensor]
    saved: tuple[tf.Tensor, ...]

    @classmethod
    def of(cls, x: tf.Tensor) -> RecomputedInput:
        """Wrap a tensor [B, T, inputs], which is stored as it is."""
        return cls(tf.identity, (x,))

    @classmethod
    def concatenated(cls, inputs: Sequence[RecomputedInput]) -> RecomputedInput:
        """Concatenate inputs along the last axis."""

        def function(*saved: tf.Tensor) -> tf.Tensor:
            rest = iter(saved)
            return tf.concat([each.function(*islice(rest, len(each.saved))) for each in inputs], axis=-1)

        return cls(function, tuple(tensor for each in inputs for tensor in each.saved))

    def evaluated(self) -> RecomputedInput:
        """Compute the operand once and store it, instead of the tensors that it is computed from."""
        return RecomputedInput.of(self.function(*self.saved))

    def matmul(self, kernel: tf.Tensor) -> tf.Tensor:
        """Multiply by a kernel [inputs, units]. Shape [B, T, units]."""

        @tf.custom_gradient
        def product(kernel: tf.Tensor, *saved: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tuple[tf.Tensor, ...]]]:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
                with tf.control_dependencies([upstream]):  # else it is computed, and stored, in the forward pass
                    again = [tf.identity(tensor) for tensor in saved]
                with tf.GradientTape() as tape:
                    tape.watch(again)
                    rows = tf.reshape(self.function(*again), [-1, kernel.shape[0]])
                grad_products = tf.reshape(upstream, [-1, kernel.shape[1]])
                grad_saved = tape.gradient(rows, again, tf.matmul(grad_products, kernel, transpose_b=True))
                return tf.matmul(rows, grad_products, transpose_a=True), *grad_saved

            return _project(self.function(*saved), kernel), gradient

        return product(kernel, *self.saved)


def _project(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Multiply [B, T, inputs] by [inputs, units] as one product of two matrices: cheaper than a batch of them."""
    leading = [-1 if size is None else size for size in x.shape[:2]]
    if leading == [-1, -1]:  # one unknown size follows from the others, two must be computed
        leading = tf.unstack(tf.shape(x))[:2]
    y = tf.reshape(tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel), [*leading, kernel.shape[1]])
    y.set_shape([*x.shape[:2], kernel.shape[1]])
    return y
