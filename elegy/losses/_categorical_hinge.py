"""The hinge loss of one-hot labels, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from ._loss import Loss
from ._operands import one_hot_pair


def categorical_hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """How far the right class's score is from beating each other class by a margin of 1.

    `max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)` over the last axis. As in Keras, a best
    other score below 0 counts as 0.

    Args:
        y_true: one-hot labels, `(batch, *d, classes)`.
        y_pred: scores, same shape.

    Returns:
        One value for each sample or position, `(batch, *d)`.

    Raises:
        ValueError: the shapes differ (nothing is broadcast) or have no axis of classes.

    Example:
        >>> categorical_hinge(jnp.array([[0, 1], [1, 0]]), jnp.array([[0.5, 2.0], [0.5, 2.0]]))
        Array([0. , 2.5], dtype=float32)
    """
    return _values("loss `categorical_hinge`", y_true, y_pred)


class CategoricalHinge(Loss):
    """How far the right class's score is from beating each other class by a margin of 1.

    `max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)` over the last axis, then reduced over samples. As in
    Keras, a best other score below 0 counts as 0.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `categorical_hinge` by default.

    Example:
        >>> float(CategoricalHinge()(y_true=jnp.array([[0, 1], [1, 0]]), y_pred=jnp.array([[0.5, 2.0], [0.5, 2.0]])))
        1.25
    """

    batch_axis: ClassVar[int | None] = 0

    def call(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The values before weights and reduction.

        Args:
            y_true: one-hot labels, `(batch, *d, classes)`.
            y_pred: scores, same shape.

        Returns:
            `(batch, *d)`.

        Raises:
            ValueError: the shapes differ or have no axis of classes.
        """
        return _values(f"loss `{name_of(self)}`", y_true, y_pred)


def _values(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    y_true, y_pred = one_hot_pair(who, y_true, y_pred)
    right = jnp.sum(y_true * y_pred, axis=-1)
    wrong = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(wrong - right + 1.0, 0.0)
