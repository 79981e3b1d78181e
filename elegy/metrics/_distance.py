"""How far predictions are from their targets: mean squared and mean absolute error and their like, as metrics."""

from typing import Any

import jax
import jax.numpy as jnp

from .._labels import require_same_shape
from .._names import name_of
from ..losses import log_cosh
from ._means import AbstractMean, MeanState, as_floating, compared, mean_value
from ._metric import Better


class MeanSquaredError(AbstractMean):
    """The mean squared distance between predictions and targets.

    `sum(w * (y_true - y_pred)²) / sum(w)` over all elements. As a loss, `elegy.losses.MeanSquaredError` divides by the
    number of elements instead of the weights' sum.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `mean_squared_error` by default.

    Example:
        >>> float(MeanSquaredError()(y_true=jnp.array([[0.0], [1.0]]), y_pred=jnp.array([[2.0], [1.0]])))
        2.0
    """

    better: Better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The squared distances.

        Args:
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        return jnp.square(_difference(f"metric `{name_of(self)}`", y_true, y_pred))


class MeanAbsoluteError(AbstractMean):
    """The mean distance between predictions and targets, in the targets' unit.

    `sum(w * |y_true - y_pred|) / sum(w)` over all elements.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `mean_absolute_error` by default.

    Example:
        >>> float(MeanAbsoluteError()(y_true=jnp.array([[0.0], [1.0]]), y_pred=jnp.array([[2.0], [1.0]])))
        1.0
    """

    better: Better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The distances.

        Args:
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        return jnp.abs(_difference(f"metric `{name_of(self)}`", y_true, y_pred))


class RootMeanSquaredError(AbstractMean):
    """The root of the mean squared distance between predictions and targets, in the targets' unit.

    `sqrt(sum(w * (y_true - y_pred)²) / sum(w))` over all elements of the whole pass: the root is taken at the end.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `root_mean_squared_error` by default.

    Example:
        >>> float(RootMeanSquaredError()(y_true=jnp.array([[0.0], [1.0]]), y_pred=jnp.array([[2.0], [3.0]])))
        2.0
    """

    better: Better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The squared distances.

        Args:
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        return jnp.square(_difference(f"metric `{name_of(self)}`", y_true, y_pred))

    def compute(self, state: MeanState) -> jax.Array:
        """The root of the mean so far, a float32 scalar; 0 if all weights were 0."""
        return jnp.sqrt(mean_value(state))


class LogCoshError(AbstractMean):
    """The distance between predictions and targets, squared where it is small and so less moved by outliers.

    The weighted mean of `log(cosh(y_true - y_pred))`: about `e²/2` for small errors `e`, `|e| - log(2)` for large ones.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `log_cosh_error` by default.

    Example:
        >>> value = LogCoshError()(y_true=jnp.array([[0.0], [0.0]]), y_pred=jnp.array([[0.0], [1.0]]))
        >>> round(float(value), 4)
        0.2169
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
        return log_cosh(*compared(self, y_true, y_pred))


def _difference(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    require_same_shape(who, y_true, y_pred)
    predictions = as_floating(y_pred)
    return predictions - as_floating(y_true).astype(predictions.dtype)
