"""The share of samples whose class is among the k highest scores."""

from typing import Any

import jax
import jax.numpy as jnp

from .._labels import check_labels, class_labels, require_same_shape, squeeze_labels
from .._names import name_of
from .._on import On
from ._confusion import require_classes
from ._means import AbstractMean
from ._metric import Better
from ._options import whole_number


class TopKCategoricalAccuracy(AbstractMean):
    """The share of samples whose one-hot label is among the k highest scores.

    `sum(w * (rank of argmax(y_true) in y_pred < k)) / sum(w)`; of equal scores the first ones rank higher, so that with
    `k=1` it is `CategoricalAccuracy`.

    Args:
        k: how many of the highest scores may hold the label; 1 or more.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `top_k_categorical_accuracy` by default.

    Raises:
        ValueError: `k` is no whole number of 1 or more.

    Example:
        >>> y_true, y_pred = jnp.array([[0, 0, 1], [0, 1, 0]]), jnp.array([[0.1, 0.9, 0.8], [0.6, 0.1, 0.3]])
        >>> float(TopKCategoricalAccuracy(k=2)(y_true=y_true, y_pred=y_pred))
        0.5
    """

    better: Better = "higher"

    def __init__(self, k: int = 5, on: On = None, *, name: str | None = "top_k_categorical_accuracy") -> None:
        super().__init__(on, name=name)
        self.k = whole_number(name_of(self), "k", k, least=1)

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """Where the label is found.

        Args:
            y_true: one-hot labels or probabilities, `(batch, *d, classes)`.
            y_pred: scores, same shape.

        Raises:
            ValueError: the shapes differ, or there are no k classes.
        """
        who = f"metric `{name_of(self)}`"
        require_same_shape(who, y_true, y_pred)
        require_classes(who, "k", self.k, y_pred)
        return _rank(jnp.argmax(y_true, axis=-1), y_pred) < self.k


class SparseTopKCategoricalAccuracy(AbstractMean):
    """The share of samples whose class number is among the k highest scores.

    `sum(w * (rank of y_true in y_pred < k)) / sum(w)`; of equal scores the first ones rank higher, so that with `k=1`
    it is `SparseCategoricalAccuracy`.

    Args:
        k: how many of the highest scores may hold the label; 1 or more.
        on: which part of `y_true` and `y_pred` this metric sees.
        from_sorted_ids: whether `y_pred` holds class numbers, the best one first, instead of scores.
        name: how logs call it; `sparse_top_k_categorical_accuracy` by default.

    Raises:
        ValueError: `k` is no whole number of 1 or more.

    Example:
        >>> y_true, y_pred = jnp.array([2, 1]), jnp.array([[0.1, 0.9, 0.8], [0.6, 0.1, 0.3]])
        >>> float(SparseTopKCategoricalAccuracy(k=2)(y_true=y_true, y_pred=y_pred))
        0.5
    """

    better: Better = "higher"

    def __init__(
        self,
        k: int = 5,
        on: On = None,
        *,
        from_sorted_ids: bool = False,
        name: str | None = "sparse_top_k_categorical_accuracy",
    ) -> None:
        super().__init__(on, name=name)
        self.k = whole_number(name_of(self), "k", k, least=1)
        self.from_sorted_ids = from_sorted_ids

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """Where the label is found.

        Args:
            y_true: class numbers, integers, `(batch, *d)` or `(batch, *d, 1)`.
            y_pred: scores, `(batch, *d, classes)`; or class numbers, integers, `(batch, *d, k or more)`.

        Raises:
            ValueError: the shapes do not fit, the labels are no integers, or there are no k classes.
        """
        who = f"metric `{name_of(self)}`"
        require_classes(who, "k", self.k, y_pred)
        labels = class_labels(who, y_true, y_pred).astype(jnp.int32)
        if self.from_sorted_ids:
            return jnp.any(y_pred[..., : self.k].astype(jnp.int32) == labels[..., None], axis=-1)
        return _rank(labels, y_pred) < self.k

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, on the host.

        Args:
            y_true: class numbers as a NumPy array, `(rows, *d)`.
            y_pred: scores, `(batch, *d, classes)`, of which the shape counts.

        Raises:
            ValueError: a label is out of range.
        """
        if not self.from_sorted_ids:
            check_labels(f"metric `{name_of(self)}`", squeeze_labels(y_true, y_pred), y_pred.shape[-1])


def _rank(labels: jax.Array, scores: jax.Array) -> jax.Array:
    """How many classes go before that of the label; a label that is no class comes after all of them."""
    classes = scores.shape[-1]
    places = jax.lax.broadcasted_iota(jnp.int32, scores.shape, scores.ndim - 1)
    here = labels[..., None].astype(jnp.int32)
    score = jnp.take_along_axis(scores, jnp.clip(here, 0, classes - 1), axis=-1)
    behind = (scores < score) | ((scores == score) & (places >= here))
    rank = classes - jnp.sum(behind.astype(jnp.int32), axis=-1)
    return jnp.where((labels >= 0) & (labels < classes), rank, classes)
