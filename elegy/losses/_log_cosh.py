"""The logarithm of the hyperbolic cosine of the error, as a function and as a loss."""

from typing import Any, ClassVar

import jax
import optax

from .._names import name_of
from ._loss import Loss
from ._operands import mean_of_last_axis, paired


def log_cosh(y_true: Any, y_pred: Any) -> jax.Array:
    """Squared near zero, absolute far away, and smooth between; like Huber, with all derivatives.

    `mean(log(cosh(y_true - y_pred)))` over the last axis, which is about `e²/2` for small errors `e` and `|e| - log(2)`
    for large ones. Exact at any size.

    Args:
        y_true: targets, `(batch, *d)`.
        y_pred: predictions, same shape.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast).

    Example:
        >>> import jax.numpy as jnp
        >>> [round(float(value), 4) for value in log_cosh(jnp.array([[0.0], [0.0]]), jnp.array([[0.0], [1.0]]))]
        [0.0, 0.4338]

    Reference:
        Chen et al., Log Hyperbolic Cosine Loss Improves Variational Auto-Encoder, 2019.
    """
    return _values("loss `log_cosh`", y_true, y_pred)


class LogCosh(Loss):
    """Squared near zero, absolute far away, and smooth between; like Huber, with all derivatives.

    `mean(log(cosh(y_true - y_pred)))` over the last axis, then reduced over samples.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `log_cosh` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(LogCosh()(y_true=jnp.array([[0.0], [0.0]]), y_pred=jnp.array([[0.0], [1.0]]))), 4)
        0.2169

    Reference:
        Chen et al., Log Hyperbolic Cosine Loss Improves Variational Auto-Encoder, 2019.
    """

    batch_axis: ClassVar[int | None] = 0

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
        return _values(f"loss `{name_of(self)}`", y_true, y_pred)


def _values(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    return mean_of_last_axis(optax.losses.log_cosh(y_pred, y_true))
