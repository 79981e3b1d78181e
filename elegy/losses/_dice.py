"""The Dice loss, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._loss import Loss
from ._operands import own_axes, paired
from ._options import require_axes
from ._probabilities import EPSILON


def dice(y_true: Any, y_pred: Any, *, axis: int | tuple[int, ...] | None = None) -> jax.Array:
    """How little predicted regions overlap with true ones: 0 where they are equal, 1 where they are apart.

    `1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + 1e-7)`, with sums over `axis`. Where both are empty it
    is 1.

    Args:
        y_true: the true regions, 0 to 1, `(batch, *d)`.
        y_pred: the predicted ones, probabilities, same shape.
        axis: what is summed over: an axis, several, or None for every axis but the batch. With `(1, 2)`, images
            `(batch, height, width, classes)` have one value for each class.

    Returns:
        One value for each sample, `(batch,)`; with `axis`, one for each place along the other axes.

    Raises:
        ValueError: the shapes differ (nothing is broadcast) or have no such axis, or an option is out of range.

    Example:
        >>> dice(jnp.array([[1, 1, 0], [0, 1, 0]]), jnp.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
        Array([0., 1.], dtype=float32)

    Reference:
        Milletari et al., V-Net, 3DV 2016.
    """
    who = "loss `dice`"
    return _values(who, y_true, y_pred, require_axes(who, axis))


class Dice(Loss):
    """How little predicted regions overlap with true ones: 0 where they are equal, 1 where they are apart.

    `1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + 1e-7)`, with sums over `axis`, then reduced over
    samples. Where both are empty it is 1. It is computed for each sample, and so exact over any batches; Keras by
    default sums over the batch too.

    Args:
        axis: what is summed over: an axis, several, or None for every axis but the batch. With `(1, 2)`, images
            `(batch, height, width, classes)` have one value for each class.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `dice` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> loss = Dice()
        >>> float(loss(y_true=jnp.array([[1, 1, 0], [0, 1, 0]]), y_pred=jnp.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])))
        0.5

    Reference:
        Milletari et al., V-Net, 3DV 2016.
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        axis: int | tuple[int, ...] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        who = f"loss `{name_of(self)}`"
        self.axis = require_axes(who, axis)

    def call(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The values before weights and reduction.

        Args:
            y_true: the true regions, 0 to 1, `(batch, *d)`.
            y_pred: the predicted ones, probabilities, same shape.

        Returns:
            `(batch,)`; with `axis`, one value for each place along the other axes.

        Raises:
            ValueError: the shapes differ or have no such axis.
        """
        return _values(f"loss `{name_of(self)}`", y_true, y_pred, self.axis)


def _values(who: str, y_true: Any, y_pred: Any, axis: int | tuple[int, ...] | None) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    axes = own_axes(who, axis, y_pred)
    overlap = jnp.sum(y_true * y_pred, axis=axes)
    return 1.0 - 2.0 * overlap / (jnp.sum(y_true, axis=axes) + jnp.sum(y_pred, axis=axes) + EPSILON)
