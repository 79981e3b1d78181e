"""The mean absolute error, as a function and as a loss."""

from typing import Any, ClassVar

import jax

from .._names import name_of
from ._loss import Loss
from ._operands import absolute, mean_of_last_axis, paired


def mean_absolute_error(y_true: Any, y_pred: Any) -> jax.Array:
    """The distance between predictions and targets, in the targets' unit; less moved by outliers than squares.

    `mean(|y_true - y_pred|)` over the last axis. The gradient where both are equal is 0.

    Args:
        y_true: targets, `(batch, *d)`.
        y_pred: predictions, same shape.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> import jax.numpy as jnp
        >>> mean_absolute_error(jnp.array([[0.0, 0.0], [0.0, 0.0]]), jnp.array([[1.0, 3.0], [0.0, 2.0]]))
        Array([2., 1.], dtype=float32)
    """
    return _values("loss `mean_absolute_error`", y_true, y_pred)


class MeanAbsoluteError(Loss):
    """The distance between predictions and targets, in the targets' unit; less moved by outliers than squares.

    `mean(|y_true - y_pred|)` over the last axis, then reduced over samples.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `mean_absolute_error` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> float(MeanAbsoluteError()(y_true=jnp.array([[0.0], [1.0]]), y_pred=jnp.array([[2.0], [1.0]])))
        1.0
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
    return mean_of_last_axis(absolute(y_pred - y_true))
