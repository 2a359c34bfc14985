"""Adam and its learning rate, both functions of the step, so that the moments are all the state there is."""

from __future__ import annotations

import math
from collections.abc import Mapping

import tensorflow as tf

from models.training.config import TrainerConfig

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7  # as in Keras


def learning_rate(step: int, config: TrainerConfig) -> float:
    """Compute the learning rate of a step, from 0: a linear warm-up, then a cosine to `learning_rate_end`."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    way = (step - config.warmup_steps) / max(1, config.steps - 1 - config.warmup_steps)
    fall = config.learning_rate - config.learning_rate_end
    return config.learning_rate_end + fall * 0.5 * (1 + math.cos(math.pi * min(1.0, way)))


class Adam(tf.Module):
    """Adam (Kingma & Ba 2015) after clipping the gradient's global norm; step count and rate come from outside.

    Args:
      variables: by name.
      clip: global norm of the gradient at most.
      reverb_share: share of the rate for variables of reverbs. Adam moves every tap of a reverb by about the rate in
        every step, however little it matters: at the network's rate thousands of taps become noise.
    """

    def __init__(self, variables: Mapping[str, tf.Variable], clip: float, reverb_share: float = 1.0):
        super().__init__()
        self._variables = list(variables.values())
        self._shares = [1.0 if name.startswith("decoder/") else reverb_share for name in variables]
        self._clip = clip
        self.means = {name: tf.Variable(tf.zeros_like(variable)) for name, variable in variables.items()}
        self.squares = {name: tf.Variable(tf.zeros_like(variable)) for name, variable in variables.items()}

    def apply(self, gradients: list[tf.Tensor], step: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """Update the variables.

        Args:
          gradients: one for each variable, of its shape.
          step: scalar, from 0.
          rate: scalar, the learning rate.

        Returns:
          The gradients' global norm before clipping, a scalar.
        """
        gradients, norm = tf.clip_by_global_norm(gradients, self._clip)
        count = tf.cast(step, tf.float32) + 1.0
        powers = _BETA1**count, _BETA2**count
        slots = zip(self._variables, self._shares, self.means.values(), self.squares.values(), gradients, strict=True)
        for variable, share, mean, square, gradient in slots:
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=rate * share,
                beta1=_BETA1,
                beta2=_BETA2,
                epsilon=_EPSILON,
                grad=gradient,
            )
        return norm
