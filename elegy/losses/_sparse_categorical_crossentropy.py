"""The crossentropy of class numbers, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from .._labels import check_labels, class_labels
from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._class_weight import class_weights
from ._loss import Loss
from ._operands import as_array, as_floating
from ._options import require_bool, require_label
from ._probabilities import clipped, total_probability


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, *, from_logits: bool = False, ignore_class: int | None = None
) -> jax.Array:
    """How surprised a choice between classes is by class numbers, in nats.

    `-log(p[y_true])`. Probabilities `p` are first divided by their sum, then kept 1e-7 away from 0 and 1, as Keras
    does; logits are exact at any size. A label outside of 0 to `classes - 1` gives NaN.

    Args:
        y_true: class numbers, integers, `(batch, *d)` or `(batch, *d, 1)`.
        y_pred: probabilities, or logits, `(batch, *d, classes)`.
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        ignore_class: a label whose values are 0, for what has no label; often -1 or 255.

    Returns:
        One value for each sample or position, `(batch, *d)`. A mean over them counts ignored ones too; the class leaves
        them out.

    Raises:
        ValueError: the labels are no integers, the shapes do not fit, or an option is none.

    Example:
        >>> sparse_categorical_crossentropy(jnp.array([1, 0]), jnp.array([[0.5, 0.5], [0.25, 0.75]]))
        Array([0.6931472, 1.3862944], dtype=float32)
    """
    who = "loss `sparse_categorical_crossentropy`"
    require_bool(who, "from_logits", from_logits)
    labels, scores = _labels_and_scores(who, y_true, y_pred)
    labels, counts = _counted(labels, require_label(who, ignore_class))
    values = _values(labels, scores, from_logits)
    return values if counts is None else jnp.where(counts, values, 0.0)


class SparseCategoricalCrossentropy(Loss):
    """How surprised a choice between classes is by class numbers, in nats.

    `-log(p[y_true])`, then reduced over samples. Probabilities `p` are first divided by their sum, then kept 1e-7 away
    from 0 and 1, as Keras does; logits are exact at any size. In training each value is multiplied by the
    `class_weight` of its label; what is divided by stays the number of values. A label outside of 0 to `classes - 1` is
    an error before training, and NaN where only the compiled step sees it. Values whose label is `ignore_class` count
    neither in the sum nor in what it is divided by.

    Args:
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        ignore_class: a label that counts for nothing, for what has no label; often -1 or 255.
        name: how logs call it; `sparse_categorical_crossentropy` by default.

    Raises:
        ValueError: `from_logits` is no bool, or `ignore_class` no whole number.

    Example:
        >>> loss = SparseCategoricalCrossentropy(from_logits=True)
        >>> round(float(loss(y_true=jnp.array([1]), y_pred=jnp.array([[0.0, 0.0]]))), 4)
        0.6931
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        from_logits: bool = False,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        ignore_class: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        self.from_logits = require_bool(f"loss `{name_of(self)}`", "from_logits", from_logits)
        self.ignore_class = require_label(f"loss `{name_of(self)}`", ignore_class)

    def call(self, y_true: Any, y_pred: Any, class_weight: Any = None, training: bool = True) -> Any:
        """The values before sample weights and reduction.

        Args:
            y_true: class numbers, integers, `(batch, *d)` or `(batch, *d, 1)`.
            y_pred: probabilities, or logits, `(batch, *d, classes)`.
            class_weight: None, or weights by class; a missing one is 1.
            training: whether class weights count; they do not in evaluation.

        Returns:
            `(batch, *d)`; with `ignore_class` a pair of these, the values and a mask of those that count.

        Raises:
            ValueError: the labels are no integers, the shapes do not fit, or `class_weight` lists other classes.
        """
        who = f"loss `{name_of(self)}`"
        labels, scores = _labels_and_scores(who, y_true, y_pred)
        labels, counts = _counted(labels, self.ignore_class)
        values = _values(labels, scores, self.from_logits)
        if training and class_weight is not None:
            values = values * class_weights(who, labels, class_weight, scores.shape[-1]).astype(values.dtype)
        return values if counts is None else (values, counts)

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no class numbers, on the host.

        Args:
            y_true: labels as a NumPy array, `(rows, *d)`.
            y_pred: the outputs, `(batch, *d, classes)`, of which only the shape is read.

        Raises:
            ValueError: a label is no integer or out of range; the first one and its row are named.
        """
        who, labels, classes = f"loss `{name_of(self)}`", np.asarray(y_true), y_pred.shape[-1]
        if self.ignore_class is not None:
            labels = np.where(labels == self.ignore_class, 0, labels)
        outside = np.argwhere((labels < 0) | (labels >= classes))
        if len(outside):
            place = tuple(outside[0])
            who, labels = f"{who}, in row {place[0] if place else 0},", labels[place]
        check_labels(who, labels, classes)


def _labels_and_scores(who: str, y_true: Any, y_pred: Any) -> tuple[jax.Array, jax.Array]:
    labels, scores = as_array(who, "y_true", y_true), as_array(who, "y_pred", y_pred)
    return class_labels(who, labels, scores).astype(jnp.int32), as_floating(scores)


def _counted(labels: jax.Array, ignore_class: int | None) -> tuple[jax.Array, jax.Array | None]:
    """The labels with a class in place of `ignore_class`, and which of them count; None if all do."""
    if ignore_class is None:
        return labels, None
    counts = labels != ignore_class
    return jnp.where(counts, labels, 0), counts


def _values(labels: jax.Array, scores: jax.Array, from_logits: bool) -> jax.Array:
    is_class = (labels >= 0) & (labels < scores.shape[-1])  # a negative label would silently count from the end
    # Scores are picked by comparing, since the gradient of a look-up is a scatter, which no backend fuses; Optax's
    # kernel looks up, and takes half as long again in a small network's step.
    is_label = labels[..., None] == jax.lax.broadcasted_iota(labels.dtype, scores.shape, scores.ndim - 1)
    if from_logits:
        shifted = scores - jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
        chosen = jnp.sum(jnp.where(is_label, -shifted, 0.0), axis=-1)
        values = jnp.log(jnp.sum(jnp.exp(shifted), axis=-1)) + chosen
    else:
        chosen = jnp.sum(jnp.where(is_label, scores, 0.0), axis=-1)
        values = -jnp.log(clipped(chosen / total_probability(scores)[..., 0]))
    return jnp.where(is_class, values, jnp.nan)
