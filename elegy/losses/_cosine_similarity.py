"""The cosine similarity, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import optax

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._loss import Loss
from ._operands import own_axes, paired
from ._options import require_index


def cosine_similarity(y_true: Any, y_pred: Any, *, axis: int = -1) -> jax.Array:
    """How far the direction of vectors is off: -1 where it is the same, 0 at a right angle, 1 where it is opposite.

    `-sum(y_true * y_pred) / (|y_true| * |y_pred|)` along `axis`. Vectors shorter than 1e-7 count as if they had that
    length, so the value of a zero vector is 0, and its slope is finite but steep, up to 1e7.

    Args:
        y_true: vectors, `(batch, *d)`.
        y_pred: predicted vectors, same shape.
        axis: along which the vectors lie; not 0, the batch.

    Returns:
        One value for each vector: the shape of `y_true`, `(batch, *d)`, without `axis`.

    Raises:
        ValueError: the shapes differ (nothing is broadcast), or `axis` is no axis of the vectors.

    Example:
        >>> import jax.numpy as jnp
        >>> cosine_similarity(jnp.array([[2.0, 0.0], [1.0, 1.0]]), jnp.array([[1.0, 0.0], [-1.0, 1.0]]))
        Array([-1., -0.], dtype=float32)
    """
    who = "loss `cosine_similarity`"
    return _values(who, y_true, y_pred, require_index(who, "axis", axis))


class CosineSimilarity(Loss):
    """How far the direction of vectors is off: -1 where it is the same, 0 at a right angle, 1 where it is opposite.

    `-sum(y_true * y_pred) / (|y_true| * |y_pred|)` along `axis`, then reduced over samples. Vectors shorter than 1e-7
    count as if they had that length, so the value of a zero vector is 0, and its slope is finite but steep, up to 1e7.

    Args:
        axis: along which the vectors lie; not 0, the batch.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `cosine_similarity` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> float(CosineSimilarity()(y_true=jnp.array([[2.0, 0.0]]), y_pred=jnp.array([[3.0, 0.0]])))
        -1.0
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        axis: int = -1,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        who = f"loss `{name_of(self)}`"
        self.axis = require_index(who, "axis", axis)

    def call(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The values before weights and reduction.

        Args:
            y_true: vectors, `(batch, *d)`.
            y_pred: predicted vectors, same shape.

        Returns:
            The shape of `y_true` without `axis`.

        Raises:
            ValueError: the shapes differ, or `axis` is no axis of the vectors.
        """
        return _values(f"loss `{name_of(self)}`", y_true, y_pred, self.axis)


def _values(who: str, y_true: Any, y_pred: Any, axis: int) -> jax.Array:
    y_true, y_pred = paired(who, y_true, y_pred)
    axes = own_axes(who, axis, y_pred)
    return -optax.losses.cosine_similarity(y_pred, y_true, epsilon=1e-14, axis=axes)  # of the squared length
