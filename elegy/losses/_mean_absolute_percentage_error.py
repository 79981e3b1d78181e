"""The mean absolute percentage error, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from ._loss import Loss
from ._operands import absolute, mean_of_last_axis, paired
from ._probabilities import EPSILON


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> jax.Array:
    """The distance between predictions and targets in percent of the targets; for targets far from 0.

    `100 * mean(|y_true - y_pred| / max(|y_true|, 1e-7))` over the last axis. A target of 0 counts as 1e-7. The gradient
    where both are equal is 0.

    Args:
        y_true: targets, `(batch, *d)`.
        y_pred: predictions, same shape.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> mean_absolute_percentage_error(jnp.array([[2.0, 4.0], [1.0, 1.0]]), jnp.array([[1.0, 4.0], [1.0, 1.5]]))
        Array([25., 25.], dtype=float32)
    """
    return _values("loss `mean_absolute_percentage_error`", y_true, y_pred)


class MeanAbsolutePercentageError(Loss):
    """The distance between predictions and targets in percent of the targets; for targets far from 0.

    `100 * mean(|y_true - y_pred| / max(|y_true|, 1e-7))` over the last axis, then reduced over samples. A target of 0
    counts as 1e-7.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `mean_absolute_percentage_error` by default.

    Example:
        >>> float(MeanAbsolutePercentageError()(y_true=jnp.array([[2.0], [4.0]]), y_pred=jnp.array([[1.0], [5.0]])))
        37.5
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
    return 100.0 * mean_of_last_axis(absolute(y_pred - y_true) / jnp.maximum(jnp.abs(y_true), EPSILON))
