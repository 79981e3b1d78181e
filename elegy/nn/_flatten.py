"""The layer between images and vectors."""

import math
from typing import Any

import jax

from ..module import Module
from ._requirements import one_array, positive, require_rank


class Flatten(Module):
    """Makes one vector out of everything but the batch, as between convolutions and `Linear`.

    Args:
        preserve_dims: how many leading axes stay; `>= 1`.
        name: its name below its parent.

    Raises:
        ValueError: `preserve_dims` is no positive whole number, or the input has fewer axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.Flatten()(jnp.ones((2, 8, 8, 3))).shape
        (2, 192)
    """

    def __init__(self, preserve_dims: int = 1, name: str | None = None) -> None:
        super().__init__(name=name)
        self.preserve_dims = positive(self, "preserve_dims", preserve_dims)

    def call(self, x: Any) -> jax.Array:
        """Flatten the input.

        Args:
            x: an array of any dtype, `(*kept, *d)`, with at least `preserve_dims` axes.

        Returns:
            `(*kept, rest)`, of the same dtype; an input with just `preserve_dims` axes as it is.
        """
        x = one_array(self, x)
        kept = self.preserve_dims
        require_rank(self, x, kept, f"at least {kept} axes, since preserve_dims={kept}")
        # The size is computed, since -1 is ambiguous for an empty batch.
        return x if x.ndim == kept else x.reshape(*x.shape[:kept], math.prod(x.shape[kept:]))
