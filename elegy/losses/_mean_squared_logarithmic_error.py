"""The mean squared logarithmic error, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from ._loss import Loss
from ._operands import mean_of_last_axis, paired
from ._probabilities import EPSILON


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> jax.Array:
    """The squared distance of logarithms: for counts and prices, where being off by a factor is what matters.

    `mean((log(1 + y_true) - log(1 + y_pred))²)` over the last axis. Numbers below 1e-7 count as 1e-7, with a gradient
    of 0.

    Args:
        y_true: targets, `(batch, *d)`.
        y_pred: predictions, same shape.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> mean_squared_logarithmic_error(jnp.array([[0.0], [1.0]]), jnp.array([[jnp.e - 1], [1.0]])).round(4)
        Array([1., 0.], dtype=float32)
    """
    return _values("loss `mean_squared_logarithmic_error`", y_true, y_pred)


class MeanSquaredLogarithmicError(Loss):
    """The squared distance of logarithms: for counts and prices, where being off by a factor is what matters.

    `mean((log(1 + y_true) - log(1 + y_pred))²)` over the last axis, then reduced over samples. Numbers below 1e-7 count
    as 1e-7, with a gradient of 0.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `mean_squared_logarithmic_error` by default.

    Example:
        >>> loss = MeanSquaredLogarithmicError()
        >>> round(float(loss(y_true=jnp.array([[0.0], [1.0]]), y_pred=jnp.array([[jnp.e - 1], [1.0]]))), 4)
        0.5
    """

    batch_axis: ClassVar[int | None] = 0

    def call(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The values before weights and reduction.

        Args:
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.

        Returns:
            `(batch, *d[:-1])`; for vectors `(batch,)`.

        Raises:
            ValueError: the shapes differ.
        """
        return _values(f"loss `{name_of(self)}`", y_true, y_pred)


def _values(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    distance = jnp.log1p(jnp.maximum(y_pred, EPSILON)) - jnp.log1p(jnp.maximum(y_true, EPSILON))
    return mean_of_last_axis(jnp.square(distance))
