"""The Kullback-Leibler divergence, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._loss import Loss
from ._operands import own_axes, paired
from ._probabilities import EPSILON


def kl_divergence(y_true: Any, y_pred: Any) -> jax.Array:
    """How far predicted distributions are from true ones, in nats; 0 where they are equal.

    `sum(y_true * log(y_true / y_pred))` over the last axis, both kept between 1e-7 and 1.

    Args:
        y_true: distributions, `(batch, *d, classes)`.
        y_pred: predicted distributions, same shape.

    Returns:
        One value for each sample or position, `(batch, *d)`.

    Raises:
        ValueError: the shapes differ (nothing is broadcast) or have one axis only.

    Example:
        >>> kl_divergence(jnp.array([[0.5, 0.5], [1.0, 0.0]]), jnp.array([[0.5, 0.5], [0.5, 0.5]])).round(4)
        Array([0.    , 0.6931], dtype=float32)

    Reference:
        Kullback and Leibler, On Information and Sufficiency, Ann. Math. Stat. 22, 1951.
    """
    return _values("loss `kl_divergence`", y_true, y_pred)


class KLDivergence(Loss):
    """How far predicted distributions are from true ones, in nats; 0 where they are equal.

    `sum(y_true * log(y_true / y_pred))` over the last axis, then reduced over samples. Both are kept between 1e-7 and
    1.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `kl_divergence` by default.

    Example:
        >>> loss = KLDivergence()
        >>> round(float(loss(y_true=jnp.array([[1.0, 0.0]]), y_pred=jnp.array([[0.5, 0.5]]))), 4)
        0.6931

    Reference:
        Kullback and Leibler, On Information and Sufficiency, Ann. Math. Stat. 22, 1951.
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        name: str | None = "kl_divergence",
    ) -> None:
        super().__init__(reduction, weight, on, name=name)

    def call(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The values before weights and reduction.

        Args:
            y_true: distributions, `(batch, *d, classes)`.
            y_pred: predicted distributions, same shape.

        Returns:
            `(batch, *d)`.

        Raises:
            ValueError: the shapes differ or have one axis only.
        """
        return _values(f"loss `{name_of(self)}`", y_true, y_pred)


def _values(who: str, y_true: Any, y_pred: Any) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    own_axes(who, -1, y_pred)
    y_true, y_pred = jnp.clip(y_true, EPSILON, 1.0), jnp.clip(y_pred, EPSILON, 1.0)
    return optax.losses.kl_divergence(jnp.log(y_pred), y_true)
