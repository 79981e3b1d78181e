"""Sums that stay exact over millions of steps: float32 pairs of value and rounding error."""

import dataclasses
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class ExactSum(NamedTuple):
    """A running sum whose rounding error is carried along, so 48 bits of it are right.

    Attributes:
        parts: float32 `(2, *shape)`, the sum and what it lost to rounding; in one array, so that adding is one kernel.
    """

    parts: jax.Array | np.ndarray

    @property
    def value(self) -> jax.Array:
        """The sum, rounded to float32."""
        return self.parts[0]

    @property
    def error(self) -> jax.Array:
        """What the rounding lost."""
        return self.parts[1]


def zero_sum(shape: tuple[int, ...] = ()) -> ExactSum:
    """An empty sum, in NumPy's arrays: it takes no program to make them.

    Example:
        >>> float(sum_value(zero_sum()))
        0.0
    """
    return ExactSum(np.zeros((2, *shape), np.float32))


def add_to_sum(total: ExactSum, x: jax.Array | float) -> ExactSum:
    """`total + x`, with what the addition loses carried along as a second float (double-float arithmetic).

    Args:
        total: the sum so far.
        x: what to add, broadcast to the sum's shape.

    Example:
        >>> total = add_to_sum(zero_sum(), 2.0**24)
        >>> for _ in range(3): total = add_to_sum(total, 1.0)
        >>> float(total.value) + float(total.error) - 2.0**24
        3.0

    Reference:
        Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18, 1971.
    """
    before, x = total.value, jnp.asarray(x).astype(jnp.float32)
    value = before + x
    part = value - before
    low = total.error + ((before - (value - part)) + (x - part))
    high = value + low
    # A non-finite sum stays what it is; its "lost part" would be NaN and hide an infinity.
    return ExactSum(
        jnp.where(
            jnp.isfinite(value), jnp.stack([high, low - (high - value)]), jnp.stack([value, jnp.zeros_like(value)])
        )
    )


def merge_sums(a: ExactSum, b: ExactSum) -> ExactSum:
    """The sum of two sums.

    Example:
        >>> one = add_to_sum(zero_sum(), 1.0)
        >>> float(sum_value(merge_sums(one, one)))
        2.0
    """
    return add_to_sum(add_to_sum(a, b.value), b.error)


def sum_value(total: ExactSum) -> jax.Array:
    """The sum as one float32 array.

    Example:
        >>> float(sum_value(add_to_sum(zero_sum(), 0.5)))
        0.5
    """
    return total.value + total.error


def pack_sums(tree: Any) -> tuple[jax.Array | None, Any]:
    """All exact sums of a tree in one array, so that a step adds to all of them with one kernel.

    Args:
        tree: any pytree; `ExactSum`s anywhere in it.

    Returns:
        float32 `(2, n)` of all sums side by side, None if there are none, and the tree with a mark in their places.

    Example:
        >>> sums, rest = pack_sums({"count": 3, "mean": add_to_sum(zero_sum((2,)), 1.0), "loss": zero_sum()})
        >>> sums.shape, float(unpack_sums(sums, rest)["mean"].value[0])
        ((2, 3), 1.0)
    """
    sums = [leaf for leaf in jax.tree.leaves(tree, is_leaf=_is_sum) if _is_sum(leaf)]
    rest = jax.tree.map(lambda leaf: _Place(leaf.parts.shape) if _is_sum(leaf) else leaf, tree, is_leaf=_is_sum)
    return (jnp.concatenate([leaf.parts.reshape(2, -1) for leaf in sums], axis=1) if sums else None), rest


def unpack_sums(sums: jax.Array | None, rest: Any) -> Any:
    """The tree of which `pack_sums` made two."""
    begin = 0

    def placed(leaf: Any) -> Any:
        nonlocal begin
        if sums is None or not _is_place(leaf):
            return leaf
        begin, first = begin + math.prod(leaf.shape[1:]), begin
        return ExactSum(sums[:, first:begin].reshape(leaf.shape))

    return jax.tree.map(placed, rest, is_leaf=_is_place)


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class _Place:
    """Where a sum was taken out, and its shape."""

    shape: tuple[int, ...]


def _is_sum(leaf: Any) -> bool:
    return isinstance(leaf, ExactSum)


def _is_place(leaf: Any) -> bool:
    return isinstance(leaf, _Place)


def quotient(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
    """`numerator / denominator`, where 0/0 is 0 and has a zero gradient.

    Example:
        >>> float(quotient(jnp.float32(0), jnp.float32(0)))
        0.0
    """
    nothing = (numerator == 0) & (denominator == 0)
    return jnp.where(nothing, 0.0, numerator / jnp.where(nothing, 1.0, denominator))
