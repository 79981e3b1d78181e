"""Dropout."""

from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module, is_training, next_rng_key
from ._requirements import number_within, real_array


class Dropout(Module):
    """Forgets a random part of its input while training, so that nothing relies on a single unit.

    Each value becomes 0 with probability `rate` and is divided by `1 - rate` otherwise, so means stay. Without training
    the input passes unchanged.

    Args:
        rate: probability that a value is dropped, `0 <= rate < 1`.
        name: its name below its parent.

    Raises:
        ValueError: `rate` is outside that range.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.Dropout(0.5)(jnp.ones(3), training=False).tolist()
        [1.0, 1.0, 1.0]
        >>> sorted(set(elegy.nn.Dropout(0.5)(jnp.ones(100), training=True).tolist()))
        [0.0, 2.0]

    Reference:
        Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 15, 2014.
    """

    def __init__(self, rate: float, name: str | None = None) -> None:
        super().__init__(name=name)
        meaning = (
            "It is the probability that a value is dropped, from 0 up to but not including 1. "
            "Give the part that is dropped, not the one that is kept."
        )
        self.rate = number_within(self, "rate", rate, 0, 1, meaning)

    def call(self, x: Any, training: bool | None = None, rng: Any = None) -> jax.Array:
        """Drop values.

        Args:
            x: any array, `(*d)`; integers become float32.
            training: whether values are dropped; by default whether the surrounding call trains.
            rng: a random key; by default the layer's own one of this step.

        Returns:
            An array of the same shape.
        """
        x = real_array(self, x)
        x = x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(self.dtype)
        training = is_training() if training is None else training
        if not training or self.rate == 0:
            return x
        kept = jax.random.bernoulli(next_rng_key() if rng is None else rng, 1 - self.rate, x.shape)
        return jnp.where(kept, x / (1 - self.rate), jnp.zeros_like(x))
