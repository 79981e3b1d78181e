"""The mean squared error, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import optax

from .._names import name_of
from ._loss import Loss
from ._operands import mean_of_last_axis, paired


def mean_squared_error(y_true: Any, y_pred: Any) -> jax.Array:
    """The squared distance between predictions and targets; large errors count most.

    `mean((y_true - y_pred)²)` over the last axis.

    Args:
        y_true: targets, `(batch, *d)`.
        y_pred: predictions, same shape.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> import jax.numpy as jnp
        >>> mean_squared_error(jnp.array([[0.0, 0.0], [0.0, 0.0]]), jnp.array([[1.0, 3.0], [0.0, 2.0]]))
        Array([5., 2.], dtype=float32)
    """
    return _values("loss `mean_squared_error`", y_true, y_pred)


class MeanSquaredError(Loss):
    """The squared distance between predictions and targets; large errors count most.

    `mean((y_true - y_pred)²)` over the last axis, then reduced over samples. For regression.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `mean_squared_error` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> float(MeanSquaredError()(y_true=jnp.array([[0.0], [1.0]]), y_pred=jnp.array([[2.0], [1.0]])))
        2.0
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
    return mean_of_last_axis(optax.losses.squared_error(y_pred, y_true))
