"""How well predicted vectors point where they should."""

from typing import Any

import jax

from .._names import name_of
from .._on import On
from ..losses import cosine_similarity
from ..losses._options import require_index
from ._means import AbstractMean, compared


class CosineSimilarity(AbstractMean):
    """How well predicted vectors point where they should: 1 in the same direction, 0 at a right angle, -1 opposite.

    The weighted mean of `sum(y_true * y_pred) / (|y_true| * |y_pred|)` along `axis`. As a loss,
    `elegy.losses.CosineSimilarity` has the opposite sign.

    Args:
        axis: along which the vectors lie; not 0, the batch.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `cosine_similarity` by default.

    Raises:
        ValueError: `axis` is no axis of vectors.

    Example:
        >>> import jax.numpy as jnp
        >>> value = CosineSimilarity()(y_true=jnp.array([[2.0, 0.0]]), y_pred=jnp.array([[1.0, 0.0]]))
        >>> float(value)
        1.0
    """

    better = "higher"

    def __init__(self, axis: int = -1, on: On = None, *, name: str | None = None) -> None:
        super().__init__(on, name=name)
        self.axis = require_index(f"metric `{name_of(self)}`", "axis", axis)

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The cosines.

        Args:
            y_true: vectors, `(batch, *d)`.
            y_pred: predicted vectors, same shape.

        Raises:
            ValueError: the shapes differ, or do not have that axis.
        """
        return -cosine_similarity(*compared(self, y_true, y_pred), axis=self.axis)
