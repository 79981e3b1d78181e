"""The layer that gives each example another shape."""

import math
import operator
from collections.abc import Sequence
from typing import Any

import jax

from .._errors import short_type
from ..module import Module
from ._requirements import one_array, positive, require_rank, who


class Reshape(Module):
    """Gives each example another shape, such as an image made of a vector.

    Args:
        output_shape: the shape of one example; one of the numbers may be -1, which stands for all that is left.
        preserve_dims: how many leading axes stay; `>= 1`.
        name: its name below its parent.

    Raises:
        ValueError: a number is below 1 other than one -1, or the input does not have this many values.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.Reshape((4, -1))(jnp.ones((2, 12))).shape
        (2, 4, 3)
    """

    def __init__(self, output_shape: Sequence[int], preserve_dims: int = 1, name: str | None = None) -> None:
        super().__init__(name=name)
        self.output_shape = self._shape(output_shape)
        self.preserve_dims = positive(self, "preserve_dims", preserve_dims)

    def call(self, x: Any) -> jax.Array:
        """Reshape the input.

        Args:
            x: an array of any dtype, `(*kept, *d)`, with at least `preserve_dims` axes.

        Returns:
            `(*kept, *output_shape)`, of the same dtype.

        Raises:
            ValueError: an example has another number of values than the shape.
        """
        x = one_array(self, x)
        kept = self.preserve_dims
        require_rank(self, x, kept, f"at least {kept} axes, since preserve_dims={kept}")
        size, known = math.prod(x.shape[kept:]), math.prod(number for number in self.output_shape if number != -1)
        if size % known if -1 in self.output_shape else size != known:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}, {size} values for each example. They do not fill "
                f"output_shape={self.output_shape}. Give a shape of as many values, or write -1 for one number."
            )
        # What -1 stands for is computed, since JAX cannot know it for an empty batch.
        shape = (size // known if number == -1 else number for number in self.output_shape)
        return x.reshape(*x.shape[:kept], *shape)

    def _shape(self, output_shape: Any) -> tuple[int, ...]:
        try:
            shape = tuple(operator.index(number) for number in output_shape)
        except TypeError:
            shape = (0,)
        if any(number < 1 and number != -1 for number in shape) or shape.count(-1) > 1:
            raise ValueError(
                f"{who(self)} was given output_shape={output_shape!r}. It is the shape of one example: whole numbers "
                "of at least 1, and at most one -1. Give a tuple such as (8, 8, -1)."
            )
        return shape
