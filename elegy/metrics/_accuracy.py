"""The share of right predictions: of equal values, yes/no scores, one-hot labels and class numbers."""

from typing import Any

import jax
import jax.numpy as jnp

from .._errors import short_type
from .._labels import check_binary_labels, check_labels, class_labels, require_same_shape, squeeze_labels
from .._names import name_of
from .._on import On
from ._means import AbstractMean, as_floating
from ._metric import Better


class Accuracy(AbstractMean):
    """The share of predictions that equal their label, element by element.

    `sum(w * (y_true == y_pred)) / sum(w)`. For outputs that are already classes; for scores use `BinaryAccuracy`,
    `CategoricalAccuracy` or `SparseCategoricalAccuracy`, or the string "accuracy", which chooses by shapes.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `accuracy` by default.

    Example:
        >>> float(Accuracy()(y_true=jnp.array([1, 1, 1, 1]), y_pred=jnp.array([0, 1, 1, 1])))
        0.75
    """

    better: Better = "higher"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """Where the predictions are right.

        Args:
            y_true: labels, `(batch, *d)`.
            y_pred: predicted labels, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        who = f"metric `{name_of(self)}`"
        if len(y_pred.shape) == len(y_true.shape) + 1 and y_pred.shape[-1] > 1:
            raise ValueError(
                f"{who} was given `y_true` {short_type(y_true)} and `y_pred` {short_type(y_pred)}. It compares labels "
                "element by element, and these look like one score for each class. Use `SparseCategoricalAccuracy()`, "
                'or the string "accuracy".'
            )
        require_same_shape(who, y_true, y_pred)
        return _equal(y_true, y_pred)


class BinaryAccuracy(AbstractMean):
    """The share of yes/no predictions that are right, element by element.

    `sum(w * ((y_pred > threshold) == (y_true > 0.5))) / sum(w)`.

    Args:
        threshold: a score above it means yes; 0.5 for probabilities, 0 for logits.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `binary_accuracy` by default.

    Example:
        >>> y_true, y_pred = jnp.array([[1], [1], [0], [0]]), jnp.array([[0.98], [1.0], [0.0], [0.6]])
        >>> float(BinaryAccuracy()(y_true=y_true, y_pred=y_pred))
        0.75
    """

    better: Better = "higher"

    def __init__(self, threshold: float = 0.5, on: On = None, *, name: str | None = None) -> None:
        self.threshold = threshold
        self.on = on
        self.name = name

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """Where the predictions are right.

        Args:
            y_true: labels, 0 or 1, `(batch, *d)`.
            y_pred: scores, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        who = f"metric `{name_of(self)}`"
        require_same_shape(who, y_true, y_pred)
        return (as_floating(y_pred) > self.threshold) == (as_floating(y_true) > 0.5)

    def check(self, y_true: Any) -> None:
        """Refuse labels outside of 0 to 1, on the host.

        Args:
            y_true: labels as a NumPy array, `(rows, *d)`.

        Raises:
            ValueError: a label is below 0 or above 1.
        """
        check_binary_labels(f"metric `{name_of(self)}`", y_true)


class CategoricalAccuracy(AbstractMean):
    """The share of samples whose highest score is at the class of their one-hot label.

    `sum(w * (argmax(y_true) == argmax(y_pred))) / sum(w)` over the last axis; of equal scores the first one counts.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `categorical_accuracy` by default.

    Example:
        >>> y_true, y_pred = jnp.array([[0, 0, 1], [0, 1, 0]]), jnp.array([[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]])
        >>> float(CategoricalAccuracy()(y_true=y_true, y_pred=y_pred))
        0.5
    """

    better: Better = "higher"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """Where the predictions are right.

        Args:
            y_true: one-hot labels or probabilities, `(batch, *d, classes)`.
            y_pred: scores, same shape.

        Raises:
            ValueError: the shapes differ, or there is one class only.
        """
        who = f"metric `{name_of(self)}`"
        require_same_shape(who, y_true, y_pred)
        if len(y_pred.shape) < 2 or y_pred.shape[-1] < 2:
            raise ValueError(
                f"{who} was given `y_true` {short_type(y_true)} and `y_pred` {short_type(y_pred)}. It looks for the "
                "highest of several scores, `(batch, classes)`. Use `BinaryAccuracy()` for one yes/no score."
            )
        return jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1)


class SparseCategoricalAccuracy(AbstractMean):
    """The share of samples whose highest score is at the class that their label names.

    `sum(w * (y_true == argmax(y_pred))) / sum(w)`; of equal scores the first one counts.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `sparse_categorical_accuracy` by default.

    Example:
        >>> y_true, y_pred = jnp.array([2, 1]), jnp.array([[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]])
        >>> float(SparseCategoricalAccuracy()(y_true=y_true, y_pred=y_pred))
        0.5
    """

    better: Better = "higher"

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """Where the predictions are right.

        Args:
            y_true: class numbers, integers, `(batch, *d)` or `(batch, *d, 1)`.
            y_pred: scores, `(batch, *d, classes)`.

        Raises:
            ValueError: the shapes do not fit, or the labels are no integers.
        """
        who = f"metric `{name_of(self)}`"
        labels = class_labels(who, y_true, y_pred).astype(jnp.int32)
        return labels == jnp.argmax(y_pred, axis=-1).astype(jnp.int32)

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, on the host.

        Args:
            y_true: class numbers as a NumPy array, `(rows, *d)`.
            y_pred: scores, `(batch, *d, classes)`, of which the shape counts.

        Raises:
            ValueError: a label is out of range.
        """
        check_labels(f"metric `{name_of(self)}`", squeeze_labels(y_true, y_pred), y_pred.shape[-1])


def _equal(y_true: Any, y_pred: Any) -> jax.Array:
    """Where two arrays hold the same value, whatever their dtypes."""
    if y_true.dtype == y_pred.dtype:
        return y_true == y_pred
    if all(jnp.issubdtype(values.dtype, jnp.integer) or values.dtype == bool for values in (y_true, y_pred)):
        return y_true.astype(int) == y_pred.astype(int)
    return as_floating(y_true) == as_floating(y_pred)
