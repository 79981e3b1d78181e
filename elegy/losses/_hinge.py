"""The hinge loss, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import optax

from .._names import name_of
from ._loss import Loss
from ._operands import mean_of_last_axis, paired
from ._signs import check_signs, signed


def hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """How far scores are from being right by a margin of 1; what is right by more does not count.

    `mean(max(1 - y_true * y_pred, 0))` over the last axis, with labels of 0 read as -1.

    Args:
        y_true: labels, yes = 1, no = -1 or 0, `(batch, *d)`.
        y_pred: scores, whose sign decides, same shape.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> import jax.numpy as jnp
        >>> hinge(jnp.array([[1], [0]]), jnp.array([[0.5], [0.5]]))
        Array([0.5, 1.5], dtype=float32)

    Reference:
        Cortes and Vapnik, Support-Vector Networks, Machine Learning 20, 1995.
    """
    return _values("loss `hinge`", y_true, y_pred)


class Hinge(Loss):
    """How far scores are from being right by a margin of 1; what is right by more does not count.

    `mean(max(1 - y_true * y_pred, 0))` over the last axis, with labels of 0 read as -1, then reduced over samples.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `hinge` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Hinge()(y_true=jnp.array([[1], [-1]]), y_pred=jnp.array([[2.0], [0.5]])))
        0.75

    Reference:
        Cortes and Vapnik, Support-Vector Networks, Machine Learning 20, 1995.
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
    return mean_of_last_axis(optax.losses.hinge_loss(y_pred, signed(y_true)))
