"""The Poisson loss, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from ._loss import Loss
from ._operands import mean_of_last_axis, paired
from ._probabilities import EPSILON


def poisson(y_true: Any, y_pred: Any) -> jax.Array:
    """How unlikely counts are if the predictions are their expected values.

    `mean(y_pred - y_true * log(y_pred + 1e-7))` over the last axis: the negative log-likelihood of a Poisson
    distribution, without the term that depends on `y_true` alone. It may be negative.

    Args:
        y_true: counts, at least 0, `(batch, *d)`.
        y_pred: expected counts, at least 0, same shape; below 0 the value is NaN.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> poisson(jnp.array([[0.0], [2.0]]), jnp.array([[1.0], [1.0]])).round(4)
        Array([1., 1.], dtype=float32)
    """
    return _values("loss `poisson`", y_true, y_pred)


class Poisson(Loss):
    """How unlikely counts are if the predictions are their expected values.

    `mean(y_pred - y_true * log(y_pred + 1e-7))` over the last axis, then reduced over samples. It may be negative.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `poisson` by default.

    Example:
        >>> float(Poisson()(y_true=jnp.array([[0.0], [2.0]]), y_pred=jnp.array([[0.0], [1.0]])).round(4))
        0.5
    """

    batch_axis: ClassVar[int | None] = 0

    def call(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The values before weights and reduction.

        Args:
            y_true: counts, at least 0, `(batch, *d)`.
            y_pred: expected counts, at least 0, same shape; below 0 the value is NaN.

        Returns:
            `(batch, *d[:-1])`; for vectors `(batch,)`.

        Raises:
            ValueError: the shapes differ.
        """
        return _values(f"loss `{name_of(self)}`", y_true, y_pred)


def _values(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    return mean_of_last_axis(y_pred - y_true * jnp.log(y_pred + EPSILON))
