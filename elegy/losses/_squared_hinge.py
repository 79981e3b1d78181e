"""The squared hinge loss, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax

from .._names import name_of
from ._loss import Loss
from ._operands import mean_of_last_axis, paired
from ._signs import check_signs, signed


def squared_hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """The hinge loss squared: smooth at the margin, and hard on what is far on the wrong side.

    `mean(max(1 - y_true * y_pred, 0)²)` over the last axis, with labels of 0 read as -1.

    Args:
        y_true: labels, yes = 1, no = -1 or 0, `(batch, *d)`.
        y_pred: scores, whose sign decides, same shape.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> squared_hinge(jnp.array([[1], [0]]), jnp.array([[0.5], [0.5]]))
        Array([0.25, 2.25], dtype=float32)
    """
    return _values("loss `squared_hinge`", y_true, y_pred)


class SquaredHinge(Loss):
    """The hinge loss squared: smooth at the margin, and hard on what is far on the wrong side.

    `mean(max(1 - y_true * y_pred, 0)²)` over the last axis, with labels of 0 read as -1, then reduced over samples.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `squared_hinge` by default.

    Example:
        >>> float(SquaredHinge()(y_true=jnp.array([[1], [-1]]), y_pred=jnp.array([[2.0], [0.5]])))
        1.125
    """

    batch_axis: ClassVar[int | None] = 0

    def call(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The values before weights and reduction.

        Args:
            y_true: labels, yes = 1, no = -1 or 0, `(batch, *d)`.
            y_pred: scores, whose sign decides, same shape.

        Returns:
            `(batch, *d[:-1])`; for vectors `(batch,)`.

        Raises:
            ValueError: the shapes differ.
        """
        return _values(f"loss `{name_of(self)}`", y_true, y_pred)

    def check(self, y_true: Any) -> None:
        """Refuse labels that are neither yes nor no, on the host.

        Args:
            y_true: labels as a NumPy array, `(rows, *d)`.

        Raises:
            ValueError: a label is none of -1, 0 and 1; the first one and its row are named.
        """
        check_signs(f"loss `{name_of(self)}`", y_true)


def _values(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    return mean_of_last_axis(jnp.square(optax.losses.hinge_loss(y_pred, signed(y_true))))
