"""The Huber loss, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import optax

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._loss import Loss
from ._operands import mean_of_last_axis, paired
from ._options import require_positive


def huber(y_true: Any, y_pred: Any, *, delta: float = 1.0) -> jax.Array:
    """Squared near zero, absolute far away; less moved by outliers than the squared error.

    Per element, with `e = y_true - y_pred`: `e²/2` where `|e| <= delta`, else `delta * (|e| - delta/2)`; then the mean
    over the last axis.

    Args:
        y_true: targets, `(batch, *d)`.
        y_pred: predictions, same shape.
        delta: where the square turns into a line, in units of `y_true`; above 0.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast), or `delta` is not above 0.

    Example:
        >>> import jax.numpy as jnp
        >>> huber(jnp.array([[0.0], [0.0]]), jnp.array([[0.5], [3.0]]))
        Array([0.125, 2.5  ], dtype=float32)

    Reference:
        Huber, Robust Estimation of a Location Parameter, Ann. Math. Stat. 35, 1964.
    """
    return _values("loss `huber`", y_true, y_pred, require_positive("loss `huber`", "delta", delta))


class Huber(Loss):
    """Squared near zero, absolute far away; less moved by outliers than the squared error.

    Per element, with `e = y_true - y_pred`: `e²/2` where `|e| <= delta`, else `delta * (|e| - delta/2)`; then the mean
    over the last axis, then reduced over samples.

    Args:
        delta: where the square turns into a line, in units of `y_true`; above 0.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `huber` by default.

    Raises:
        ValueError: `delta` is not above 0.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Huber(delta=2.0)(y_true=jnp.array([[0.0], [0.0]]), y_pred=jnp.array([[1.0], [3.0]])))
        2.25

    Reference:
        Huber, Robust Estimation of a Location Parameter, Ann. Math. Stat. 35, 1964.
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        delta: float = 1.0,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        self.delta = require_positive(f"loss `{name_of(self)}`", "delta", delta)

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
        return _values(f"loss `{name_of(self)}`", y_true, y_pred, self.delta)


def _values(who: str, y_true: Any, y_pred: Any, delta: float) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    return mean_of_last_axis(optax.losses.huber_loss(y_pred, y_true, delta=delta))
