"""Sums that stay exact over millions of steps: float32 pairs of value and rounding error."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class ExactSum(NamedTuple):
    """A running sum whose rounding error is carried along, so 48 bits of it are right.

    Attributes:
        value: the sum as float32, any shape.
        error: what `value` lost to rounding, same shape.
    """

    value: jax.Array
    error: jax.Array


def zero_sum(shape: tuple[int, ...] = ()) -> ExactSum:
    """An empty sum.

    Example:
        >>> float(sum_value(zero_sum()))
        0.0
    """
    return ExactSum(jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.float32))


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
    x = jnp.asarray(x).astype(jnp.float32)
    value = total.value + x
    part = value - total.value
    lost = (total.value - (value - part)) + (x - part)
    # A non-finite sum stays what it is; its "lost part" would be NaN and hide an infinity.
    low = total.error + jnp.where(jnp.isfinite(value), lost, 0.0)
    high = value + low
    return ExactSum(high, jnp.where(jnp.isfinite(high), low - (high - value), 0.0))


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


def quotient(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
    """`numerator / denominator`, where 0/0 is 0 and has a zero gradient.

    Example:
        >>> float(quotient(jnp.float32(0), jnp.float32(0)))
        0.0
    """
    nothing = (numerator == 0) & (denominator == 0)
    return jnp.where(nothing, 0.0, numerator / jnp.where(nothing, 1.0, denominator))
