"""Means and products of deviations that stay stable over millions of rows: what R2 and correlations are made of."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._sums import ExactSum, add_to_sum, merge_sums, quotient, sum_value, zero_sum


class Moments(NamedTuple):
    """The weighted moments of columns, for each of several outputs.

    Attributes:
        weight: the sums of the weights, `(outputs,)`.
        mean: the weighted means, `(columns, outputs)`.
        products: the sums of the weighted products of deviations from the means, `(columns, columns, outputs)`.
    """

    weight: ExactSum
    mean: ExactSum
    products: ExactSum


def no_moments(columns: int, outputs: int) -> Moments:
    """The moments of nothing."""
    return Moments(zero_sum((outputs,)), zero_sum((columns, outputs)), zero_sum((columns, columns, outputs)))


def moments_of(values: jax.Array, weight: jax.Array) -> Moments:
    """The moments of one batch, of deviations from its own mean.

    Args:
        values: float32, `(columns, rows, outputs)`; what has weight 0 may be NaN.
        weight: float32, `(rows, outputs)`.
    """
    values = jnp.where(weight[None] == 0, 0.0, values)
    total = jnp.sum(weight, axis=0)
    share = weight / jnp.where(total == 0, 1.0, total)[None]
    rough = jnp.sum(share[None] * values, axis=1)
    deviation = values - rough[:, None]
    rest = jnp.sum(share[None] * deviation, axis=1)  # what rounding took from the mean
    deviation = jnp.where(weight[None] == 0, 0.0, deviation - rest[:, None])
    products = jnp.einsum("rd,ird,jrd->ijd", weight, deviation, deviation)
    zero = zero_sum(rough.shape)
    return Moments(
        add_to_sum(zero_sum(total.shape), total),
        add_to_sum(add_to_sum(zero, rough), rest),
        add_to_sum(zero_sum(products.shape), products),
    )


def merge_moments(a: Moments, b: Moments) -> Moments:
    """The moments of both.

    Reference:
        Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
    """
    of_a, of_b = sum_value(a.weight), sum_value(b.weight)
    share = quotient(of_b, of_a + of_b)
    high = b.mean.value - a.mean.value
    low = b.mean.error - a.mean.error
    apart = high + low
    between = jnp.einsum("d,id,jd->ijd", of_a * share, apart, apart)
    return Moments(
        merge_sums(a.weight, b.weight),
        add_to_sum(add_to_sum(a.mean, share[None] * high), share[None] * low),
        add_to_sum(merge_sums(a.products, b.products), between),
    )


def spread(moments: Moments) -> jax.Array:
    """The sums of squared deviations of each column, `(columns, outputs)`; 0 where they are not more than rounding.

    Equal numbers differ from their mean by a last digit, which is no spread.
    """
    squares = jnp.diagonal(sum_value(moments.products), axis1=0, axis2=1).T
    digit = jnp.finfo(jnp.float32).eps * jnp.abs(sum_value(moments.mean))
    return jnp.where(squares > sum_value(moments.weight)[None] * digit * digit, squares, 0.0)


def columns_of(values: Any) -> jax.Array:
    """Values `(batch, *d)` as float32 rows of outputs, `(batch, outputs)`."""
    return jnp.reshape(values, (values.shape[0], -1)).astype(jnp.float32)
