"""How far predictions are from their targets: mean squared and mean absolute error, as metrics."""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp

from .._labels import require_same_shape
from .._names import name_of
from ._means import AbstractMean, MeanState, add_to_mean, as_floating


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

    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    def update(self, state: MeanState, y_true: Any, y_pred: Any, sample_weight: Any = None) -> MeanState:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_true`.

        Raises:
            ValueError: the shapes differ.
        """
        who = f"metric `{name_of(self)}`"
        return add_to_mean(state, jnp.square(_difference(who, y_true, y_pred)), sample_weight, who)


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

    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    def update(self, state: MeanState, y_true: Any, y_pred: Any, sample_weight: Any = None) -> MeanState:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: targets, `(batch, *d)`.
            y_pred: predictions, same shape.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_true`.

        Raises:
            ValueError: the shapes differ.
        """
        who = f"metric `{name_of(self)}`"
        return add_to_mean(state, jnp.abs(_difference(who, y_true, y_pred)), sample_weight, who)


def _difference(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    require_same_shape(who, y_true, y_pred)
    predictions = as_floating(y_pred)
    return predictions - as_floating(y_true).astype(predictions.dtype)
