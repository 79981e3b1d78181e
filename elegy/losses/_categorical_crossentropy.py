"""The crossentropy of one-hot labels, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._class_weight import class_weights
from ._loss import Loss
from ._operands import one_hot_pair
from ._options import require_bool, require_smoothing
from ._probabilities import clipped, smoothed, total_probability


def categorical_crossentropy(
    y_true: Any, y_pred: Any, *, from_logits: bool = False, label_smoothing: float = 0.0
) -> jax.Array:
    """How surprised a choice between classes is by one-hot labels, in nats.

    `-sum(y_true * log(p))` over the last axis. Probabilities `p` are first divided by their sum, then kept 1e-7 away
    from 0 and 1, as Keras does; logits are exact at any size.

    Args:
        y_true: one-hot labels or distributions, `(batch, *d, classes)`.
        y_pred: probabilities, or logits, same shape.
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/classes`.

    Returns:
        One value for each sample or position, `(batch, *d)`.

    Raises:
        ValueError: the shapes differ (nothing is broadcast) or have no axis of classes, or an option is out of range.

    Example:
        >>> categorical_crossentropy(jnp.array([[0.0, 1.0], [1.0, 0.0]]), jnp.array([[0.5, 0.5], [0.25, 0.75]]))
        Array([0.6931472, 1.3862944], dtype=float32)
    """
    who = "loss `categorical_crossentropy`"
    require_bool(who, "from_logits", from_logits)
    y_true, y_pred = one_hot_pair(who, y_true, y_pred)
    return _values(y_true, y_pred, from_logits, require_smoothing(who, label_smoothing))


class CategoricalCrossentropy(Loss):
    """How surprised a choice between classes is by one-hot labels, in nats.

    `-sum(y_true * log(p))` over the last axis, then reduced over samples. Probabilities `p` are first divided by their
    sum, then kept 1e-7 away from 0 and 1, as Keras does; logits are exact at any size. In training each value is
    multiplied by the `class_weight` of `argmax(y_true)`; what is divided by stays the number of values.

    Args:
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/classes`.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `categorical_crossentropy` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> loss = CategoricalCrossentropy(from_logits=True)
        >>> round(float(loss(y_true=jnp.array([[1, 0]]), y_pred=jnp.array([[0.0, 0.0]]))), 4)
        0.6931
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        self.from_logits = require_bool(f"loss `{name_of(self)}`", "from_logits", from_logits)
        self.label_smoothing = require_smoothing(f"loss `{name_of(self)}`", label_smoothing)

    def call(self, y_true: Any, y_pred: Any, class_weight: Any = None, training: bool = True) -> jax.Array:
        """The values before sample weights and reduction.

        Args:
            y_true: one-hot labels, `(batch, *d, classes)`.
            y_pred: probabilities, or logits, same shape.
            class_weight: None, or weights by class; a missing one is 1.
            training: whether class weights count; they do not in evaluation.

        Returns:
            `(batch, *d)`.

        Raises:
            ValueError: the shapes differ or have no axis of classes, or `class_weight` lists other classes.
        """
        who = f"loss `{name_of(self)}`"
        y_true, y_pred = one_hot_pair(who, y_true, y_pred)
        values = _values(y_true, y_pred, self.from_logits, self.label_smoothing)
        if training and class_weight is not None:
            labels = jnp.argmax(y_true, axis=-1)
            values = values * class_weights(who, labels, class_weight, y_pred.shape[-1]).astype(values.dtype)
        return values


def _values(y_true: jax.Array, y_pred: jax.Array, from_logits: bool, label_smoothing: float) -> jax.Array:
    y_true = smoothed(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        return optax.losses.softmax_cross_entropy(y_pred, y_true)
    total = jnp.broadcast_to(total_probability(y_pred), y_pred.shape)
    return -jnp.sum(y_true * jnp.log(clipped(y_pred / total)), axis=-1)
