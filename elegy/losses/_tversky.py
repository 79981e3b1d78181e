"""The Tversky loss, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._loss import Loss
from ._operands import own_axes, paired
from ._options import require_at_least_zero, require_axes
from ._probabilities import EPSILON


def tversky(
    y_true: Any,
    y_pred: Any,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | tuple[int, ...] | None = None,
) -> jax.Array:
    """The Dice loss with a choice of what is worse, to miss or to mistake; for small regions.

    `1 - both / (both + alpha * missed + beta * mistaken + 1e-7)`, where `both = sum(y_true * y_pred)`,
    `missed = sum(y_true * (1 - y_pred))` and `mistaken = sum((1 - y_true) * y_pred)` are over `axis`. With 0.5 and 0.5
    it is the Dice loss. Where both are empty it is 1.

    Args:
        y_true: the true regions, 0 to 1, `(batch, *d)`.
        y_pred: the predicted ones, probabilities, same shape.
        alpha: how much counts what was missed, true but not predicted; at least 0.
        beta: how much counts what was predicted but is not true; at least 0.
        axis: what is summed over: an axis, several, or None for every axis but the batch. With `(1, 2)`, images
            `(batch, height, width, classes)` have one value for each class.

    Returns:
        One value for each sample, `(batch,)`; with `axis`, one for each place along the other axes.

    Raises:
        ValueError: the shapes differ (nothing is broadcast) or have no such axis, or an option is out of range.

    Example:
        >>> tversky(jnp.array([[1, 1, 0]]), jnp.array([[1.0, 0.0, 0.0]]), alpha=1.0)
        Array([0.5], dtype=float32)

    Reference:
        Salehi et al., Tversky Loss Function for Image Segmentation, MLMI 2017.
    """
    who = "loss `tversky`"
    alpha, beta = require_at_least_zero(who, "alpha", alpha), require_at_least_zero(who, "beta", beta)
    return _values(who, y_true, y_pred, alpha, beta, require_axes(who, axis))


class Tversky(Loss):
    """The Dice loss with a choice of what is worse, to miss or to mistake; for small regions.

    `1 - both / (both + alpha * missed + beta * mistaken + 1e-7)`, where `both = sum(y_true * y_pred)`,
    `missed = sum(y_true * (1 - y_pred))` and `mistaken = sum((1 - y_true) * y_pred)` are over `axis`; then reduced over
    samples. Where both are empty it is 1. It is computed for each sample, and so exact over any batches; Keras by
    default sums over the batch too.

    Args:
        alpha: how much counts what was missed, true but not predicted; at least 0.
        beta: how much counts what was predicted but is not true; at least 0.
        axis: what is summed over: an axis, several, or None for every axis but the batch. With `(1, 2)`, images
            `(batch, height, width, classes)` have one value for each class.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `tversky` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> loss = Tversky(alpha=1.0, beta=0.0)
        >>> float(loss(y_true=jnp.array([[1, 1, 0]]), y_pred=jnp.array([[1.0, 0.0, 1.0]])))
        0.5

    Reference:
        Salehi et al., Tversky Loss Function for Image Segmentation, MLMI 2017.
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        axis: int | tuple[int, ...] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        who = f"loss `{name_of(self)}`"
        self.alpha = require_at_least_zero(who, "alpha", alpha)
        self.beta = require_at_least_zero(who, "beta", beta)
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
        return _values(f"loss `{name_of(self)}`", y_true, y_pred, self.alpha, self.beta, self.axis)


def _values(
    who: str, y_true: Any, y_pred: Any, alpha: float, beta: float, axis: int | tuple[int, ...] | None
) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    axes = own_axes(who, axis, y_pred)
    both = jnp.sum(y_true * y_pred, axis=axes)
    missed, mistaken = jnp.sum(y_true, axis=axes) - both, jnp.sum(y_pred, axis=axes) - both
    return 1.0 - both / (both + alpha * missed + beta * mistaken + EPSILON)
