"""Matrix products of which a training keeps little.

A product's gradient needs its left side, which in a dense stack is what an activation made of the layer before, and in
front of a GRU several of those joined. All that is cheap to make beside the product itself: so the way back makes it
again, and only what it is made of is kept, of which some is shared.

Shapes: B batch, T frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import tensorflow as tf


@dataclass(frozen=True)
class Operand:
    """The left side of a matrix product, described by its parts and how they are put together.

    Attributes:
      make: parts -> [B, T, inputs].
      parts: each differentiable.
    """

    make: Callable[..., tf.Tensor]
    parts: tuple[tf.Tensor, ...]

    @classmethod
    def of(cls, x: tf.Tensor) -> Operand:
        """A tensor as it is."""
        return cls(tf.identity, (x,))

    @classmethod
    def joined(cls, operands: Sequence[Operand]) -> Operand:
        """Several ones side by side."""

        def make(*parts: tf.Tensor) -> tf.Tensor:
            rest = iter(parts)
            return tf.concat([each.make(*islice(rest, len(each.parts))) for each in operands], axis=-1)

        return cls(make, tuple(part for operand in operands for part in operand.parts))

    def made(self) -> Operand:
        """The same, with itself as its only part."""
        return Operand.of(self.make(*self.parts))

    def times(self, kernel: tf.Tensor) -> tf.Tensor:
        """[B, T, inputs] @ [inputs, units] -> [B, T, units]."""

        @tf.custom_gradient
        def product(kernel: tf.Tensor, *parts: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tuple[tf.Tensor, ...]]]:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
                with tf.control_dependencies([upstream]):  # else it would be made, and kept, on the way forward
                    again = [tf.identity(part) for part in parts]
                with tf.GradientTape() as tape:
                    tape.watch(again)
                    made = self.make(*again)
                    rows = tf.reshape(made, [-1, kernel.shape[0]])
                of_rows = tf.reshape(upstream, [-1, kernel.shape[1]])
                of_parts = tape.gradient(rows, again, tf.matmul(of_rows, kernel, transpose_b=True))
                return tf.matmul(rows, of_rows, transpose_a=True), *of_parts

            return _project(self.make(*parts), kernel), gradient

        return product(kernel, *self.parts)


def _project(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[B, T, inputs] @ [inputs, units], as one product of two matrices: cheaper than a batch of them."""
    leading = [-1 if size is None else size for size in x.shape[:2]]
    if leading == [-1, -1]:  # one unknown size is what is left over, two have to be asked for
        leading = tf.unstack(tf.shape(x))[:2]
    y = tf.reshape(tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel), [*leading, kernel.shape[1]])
    y.set_shape([*x.shape[:2], kernel.shape[1]])
    return y
