"""How far predictions are from their targets, measured by the size of the targets."""

from typing import Any

import jax

from ..losses import mean_absolute_percentage_error, mean_squared_logarithmic_error
from ._means import AbstractMean, compared


class MeanAbsolutePercentageError(AbstractMean):
    """The distance between predictions and targets in percent of the targets; for targets far from 0.

    The weighted mean of `100 * |y_true - y_pred| / max(|y_true|, 1e-7)`.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `mean_absolute_percentage_error` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> value = MeanAbsolutePercentageError()(y_true=jnp.array([[2.0], [4.0]]), y_pred=jnp.array([[1.0], [4.0]]))
        >>> round(float(value), 4)
        25.0
    """

    better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """What is averaged.

        Args:
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        return mean_absolute_percentage_error(*compared(self, y_true, y_pred))


class MeanSquaredLogarithmicError(AbstractMean):
    """The squared distance of logarithms: for counts and prices, where being off by a factor is what matters.

    The weighted mean of `(log(1 + y_true) - log(1 + y_pred))²`. Numbers below 1e-7 count as 1e-7.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `mean_squared_logarithmic_error` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> value = MeanSquaredLogarithmicError()(y_true=jnp.array([[0.0], [1.0]]), y_pred=jnp.array([[1.0], [1.0]]))
        >>> round(float(value), 4)
        0.2402
    """

    better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """What is averaged.

        Args:
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        return mean_squared_logarithmic_error(*compared(self, y_true, y_pred))
