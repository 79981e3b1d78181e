"""How unlikely predicted distributions make what is true: Kullback-Leibler and Poisson, as metrics."""

from typing import Any

import jax

from .._on import On
from ..losses import kl_divergence, poisson
from ._means import AbstractMean, compared


class KLDivergence(AbstractMean):
    """How far predicted distributions are from true ones, in nats; 0 where they are equal.

    The weighted mean of `sum(y_true * log(y_true / y_pred))` over the last axis, both kept between 1e-7 and 1.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `kl_divergence` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> value = KLDivergence()(y_true=jnp.array([[1.0, 0.0]]), y_pred=jnp.array([[0.5, 0.5]]))
        >>> round(float(value), 4)
        0.6931
    """

    better = "lower"

    def __init__(self, on: On = None, *, name: str | None = "kl_divergence") -> None:
        super().__init__(on, name=name)

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """What is averaged.

        Args:
            y_true: distributions, `(batch, *d, classes)`.
            y_pred: predicted distributions, same shape.

        Raises:
            ValueError: the shapes differ or have one axis only.
        """
        return kl_divergence(*compared(self, y_true, y_pred))


class Poisson(AbstractMean):
    """How unlikely counts are if the predictions are their expected values.

    The weighted mean of `y_pred - y_true * log(y_pred + 1e-7)`. It may be negative.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `poisson` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> value = Poisson()(y_true=jnp.array([[0.0], [2.0]]), y_pred=jnp.array([[1.0], [1.0]]))
        >>> round(float(value), 4)
        1.0
    """

    better = "lower"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """What is averaged.

        Args:
            y_true: counts, at least 0, `(batch, *d)`.
            y_pred: expected counts, at least 0, same shape; below 0 the value is NaN.

        Raises:
            ValueError: the shapes differ.
        """
        return poisson(*compared(self, y_true, y_pred))
