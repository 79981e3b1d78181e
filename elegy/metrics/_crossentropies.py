"""How surprised predictions are by labels, in nats: the crossentropies as metrics, and the perplexity."""

from typing import Any

import jax
import jax.numpy as jnp

from .._labels import check_binary_labels, check_labels, class_labels, squeeze_labels
from .._names import name_of
from .._on import On
from .._sums import sum_value
from ..losses import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from ..losses._options import require_bool, require_label, require_smoothing
from ._means import AbstractMean, MeanState, compared, mean_value


class BinaryCrossentropy(AbstractMean):
    """How surprised yes/no probabilities are by the labels, in nats; each output decides for itself.

    The weighted mean of `-y_true * log(p) - (1 - y_true) * log(1 - p)`. As a loss, `elegy.losses.BinaryCrossentropy`
    divides by the number of values instead of the weights' sum. Probabilities are kept 1e-7 away from 0 and 1.

    Args:
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/2`.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `binary_crossentropy` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> value = BinaryCrossentropy()(y_true=jnp.array([[1], [0]]), y_pred=jnp.array([[0.5], [0.5]]))
        >>> round(float(value), 4)
        0.6931
    """

    better = "lower"

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, on: On = None, *, name: str | None = None
    ) -> None:
        super().__init__(on, name=name)
        self.from_logits = require_bool(f"metric `{name_of(self)}`", "from_logits", from_logits)
        self.label_smoothing = require_smoothing(f"metric `{name_of(self)}`", label_smoothing)

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The crossentropies.

        Args:
            y_true: labels, 0 to 1, `(batch, *d)`.
            y_pred: probabilities, or logits, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        options = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}
        return binary_crossentropy(*compared(self, y_true, y_pred), **options)

    def check(self, y_true: Any) -> None:
        """Refuse labels outside of 0 to 1, on the host.

        Args:
            y_true: labels as a NumPy array, `(rows, *d)`.

        Raises:
            ValueError: a label is below 0 or above 1.
        """
        check_binary_labels(f"metric `{name_of(self)}`", y_true)


class CategoricalCrossentropy(AbstractMean):
    """How surprised a choice between classes is by one-hot labels, in nats.

    The weighted mean of `-sum(y_true * log(p))` over the last axis. Probabilities are first divided by their sum, then
    kept 1e-7 away from 0 and 1.

    Args:
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s / classes`.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `categorical_crossentropy` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> metric = CategoricalCrossentropy(from_logits=True)
        >>> round(float(metric(y_true=jnp.array([[0, 1]]), y_pred=jnp.array([[3.0, 3.0]]))), 4)
        0.6931
    """

    better = "lower"

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, on: On = None, *, name: str | None = None
    ) -> None:
        super().__init__(on, name=name)
        self.from_logits = require_bool(f"metric `{name_of(self)}`", "from_logits", from_logits)
        self.label_smoothing = require_smoothing(f"metric `{name_of(self)}`", label_smoothing)

    def values(self, y_true: Any, y_pred: Any) -> jax.Array:
        """The crossentropies.

        Args:
            y_true: one-hot labels or probabilities, `(batch, *d, classes)`.
            y_pred: probabilities, or logits, same shape.

        Raises:
            ValueError: the shapes differ.
        """
        options = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}
        return categorical_crossentropy(*compared(self, y_true, y_pred), **options)


class SparseCategoricalCrossentropy(AbstractMean):
    """How surprised a choice between classes is by class numbers, in nats.

    The weighted mean of `-log(p[y_true])`. Probabilities are first divided by their sum, then kept 1e-7 away from 0 and
    1. A label that is no class is an error before a pass, and NaN where only the compiled step sees it.

    Args:
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        ignore_class: labels of this number count for nothing.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `sparse_categorical_crossentropy` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> metric = SparseCategoricalCrossentropy(from_logits=True)
        >>> round(float(metric(y_true=jnp.array([1, 0]), y_pred=jnp.zeros((2, 2)))), 4)
        0.6931
    """

    better = "lower"

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, on: On = None, *, name: str | None = None
    ) -> None:
        super().__init__(on, name=name)
        self.from_logits = require_bool(f"metric `{name_of(self)}`", "from_logits", from_logits)
        self.ignore_class = require_label(f"metric `{name_of(self)}`", ignore_class)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """The crossentropies, and with `ignore_class` where they count.

        Args:
            y_true: class numbers, integers, `(batch, *d)` or `(batch, *d, 1)`.
            y_pred: probabilities, or logits, `(batch, *d, classes)`.

        Raises:
            ValueError: the labels are no integers, or the shapes do not fit.
        """
        return _surprises(f"metric `{name_of(self)}`", y_true, y_pred, self.from_logits, self.ignore_class)

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, on the host.

        Args:
            y_true: class numbers as a NumPy array, `(rows, *d)`.
            y_pred: scores, `(batch, *d, classes)`, of which the shape counts.

        Raises:
            ValueError: a label is out of range.
        """
        _check_classes(f"metric `{name_of(self)}`", y_true, y_pred, self.ignore_class)


class Perplexity(AbstractMean):
    """Between how many equally likely classes a prediction hesitates, as language models are scored.

    `exp(sum(w * -log(p[y_true])) / sum(w))` over the whole pass: 1 at best, the number of classes for a guess.

    Args:
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        ignore_class: labels of this number count for nothing, like that of the padding.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `perplexity` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> value = Perplexity(from_logits=True)(y_true=jnp.array([1, 0]), y_pred=jnp.zeros((2, 8)))
        >>> round(float(value), 4)
        8.0
    """

    better = "lower"

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, on: On = None, *, name: str | None = None
    ) -> None:
        super().__init__(on, name=name)
        self.from_logits = require_bool(f"metric `{name_of(self)}`", "from_logits", from_logits)
        self.ignore_class = require_label(f"metric `{name_of(self)}`", ignore_class)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """The crossentropies, and with `ignore_class` where they count.

        Args:
            y_true: class numbers, integers, `(batch, *d)` or `(batch, *d, 1)`.
            y_pred: probabilities, or logits, `(batch, *d, classes)`.

        Raises:
            ValueError: the labels are no integers, or the shapes do not fit.
        """
        return _surprises(f"metric `{name_of(self)}`", y_true, y_pred, self.from_logits, self.ignore_class)

    def compute(self, state: MeanState) -> jax.Array:
        """The perplexity so far, a float32 scalar; 0 if all weights were 0."""
        _, weight = sum_value(state)
        return jnp.where(weight == 0, 0.0, jnp.exp(mean_value(state)))

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, on the host.

        Args:
            y_true: class numbers as a NumPy array, `(rows, *d)`.
            y_pred: scores, `(batch, *d, classes)`, of which the shape counts.

        Raises:
            ValueError: a label is out of range.
        """
        _check_classes(f"metric `{name_of(self)}`", y_true, y_pred, self.ignore_class)


def _surprises(who: str, y_true: Any, y_pred: Any, from_logits: bool, ignore_class: int | None) -> Any:
    labels = class_labels(who, y_true, y_pred)
    values = sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, ignore_class=ignore_class)
    return values if ignore_class is None else (values, labels != ignore_class)


def _check_classes(who: str, y_true: Any, y_pred: Any, ignore_class: int | None) -> None:
    labels = squeeze_labels(y_true, y_pred)
    check_labels(who, labels if ignore_class is None else labels[labels != ignore_class], y_pred.shape[-1])
