"""How far scores are from being right by a margin: the hinge losses as metrics."""

from typing import Any

import jax

from ..losses import categorical_hinge, hinge, squared_hinge
from ._means import AbstractMean, compared


class Hinge(AbstractMean):
    """How far scores are from being right by a margin of 1; what is right by more does not count.

    The weighted mean of `max(1 - y_true * y_pred, 0)`, with labels of 0 read as -1.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `hinge` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> value = Hinge()(y_true=jnp.array([[1], [0]]), y_pred=jnp.array([[0.5], [0.5]]))
        >>> round(float(value), 4)
        1.0
    """

    better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """What is averaged.

        Args:
            y_true: labels, yes = 1, no = -1 or 0, `(batch, *d)`.
            y_pred: scores, whose sign decides, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        return hinge(*compared(self, y_true, y_pred))


class SquaredHinge(AbstractMean):
    """The hinge metric squared: hard on what is far on the wrong side.

    The weighted mean of `max(1 - y_true * y_pred, 0)²`, with labels of 0 read as -1.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `squared_hinge` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> value = SquaredHinge()(y_true=jnp.array([[1], [0]]), y_pred=jnp.array([[0.5], [0.5]]))
        >>> round(float(value), 4)
        1.25
    """

    better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """What is averaged.

        Args:
            y_true: labels, yes = 1, no = -1 or 0, `(batch, *d)`.
            y_pred: scores, whose sign decides, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        return squared_hinge(*compared(self, y_true, y_pred))


class CategoricalHinge(AbstractMean):
    """How far the right class's score is from beating each other class by a margin of 1.

    The weighted mean of `max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)` over the last axis.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `categorical_hinge` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> value = CategoricalHinge()(y_true=jnp.array([[0, 1], [1, 0]]), y_pred=jnp.array([[0.5, 2.0], [0.5, 2.0]]))
        >>> round(float(value), 4)
        1.25
    """

    better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """What is averaged.

        Args:
            y_true: one-hot labels, `(batch, *d, classes)`.
            y_pred: scores, same shape.

        Raises:
            ValueError: the shapes differ or have no axis of classes.
        """
        return categorical_hinge(*compared(self, y_true, y_pred))
