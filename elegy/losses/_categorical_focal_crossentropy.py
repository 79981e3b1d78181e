"""The focal crossentropy of one-hot labels, as a function and as a loss."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._class_weight import class_weights
from ._loss import Loss
from ._operands import one_hot_pair
from ._options import require_at_least_zero, require_bool, require_smoothing
from ._probabilities import EPSILON, clipped, smoothed, total_probability


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    *,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> jax.Array:
    """The crossentropy of one-hot labels, in which what is already right with confidence hardly counts.

    `-sum(alpha * (1 - p)**gamma * y_true * log(p))` over the last axis. Probabilities `p` are first divided by their
    sum, then kept 1e-7 away from 0 and 1, as Keras does; logits are exact at any size.

    Args:
        y_true: one-hot labels or distributions, `(batch, *d, classes)`.
        y_pred: probabilities, or logits, same shape.
        alpha: what values are multiplied by: a number of at least 0, or one for each class.
        gamma: how little easy samples count, at least 0; with 0 all count the same.
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/classes`.

    Returns:
        One value for each sample or position, `(batch, *d)`.

    Raises:
        ValueError: the shapes differ (nothing is broadcast) or have no axis of classes, or an option is out of range.

    Example:
        >>> categorical_focal_crossentropy(jnp.array([[0, 1], [1, 0]]), jnp.array([[0.5, 0.5], [0.9, 0.1]])).round(4)
        Array([0.0433, 0.0003], dtype=float32)

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
    """
    loss = CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing)
    return loss.call(y_true, y_pred)


class CategoricalFocalCrossentropy(Loss):
    """The crossentropy of one-hot labels, in which what is already right with confidence hardly counts.

    `-sum(alpha * (1 - p)**gamma * y_true * log(p))` over the last axis, then reduced over samples. Probabilities `p`
    are first divided by their sum, then kept 1e-7 away from 0 and 1, as Keras does; logits are exact at any size. In
    training each value is multiplied by the `class_weight` of `argmax(y_true)`.

    Args:
        alpha: what values are multiplied by: a number of at least 0, or one for each class.
        gamma: how little easy samples count, at least 0; with 0 all count the same.
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/classes`.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `categorical_focal_crossentropy` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> loss = CategoricalFocalCrossentropy(alpha=[1.0, 2.0], from_logits=True)
        >>> round(float(loss(y_true=jnp.array([[0, 1]]), y_pred=jnp.array([[0.0, 0.0]]))), 4)
        0.3466

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        who = f"loss `{name_of(self)}`"
        self.alpha = _alpha(who, alpha)
        self.gamma = require_at_least_zero(who, "gamma", gamma)
        self.from_logits = require_bool(who, "from_logits", from_logits)
        self.label_smoothing = require_smoothing(who, label_smoothing)

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
            ValueError: the shapes differ or have no axis of classes, or `alpha` or `class_weight` list other classes.
        """
        who = f"loss `{name_of(self)}`"
        y_true, y_pred = one_hot_pair(who, y_true, y_pred)
        classes = y_pred.shape[-1]
        alpha = _of_classes(who, self.alpha, y_pred)
        values = self._values(smoothed(y_true, self.label_smoothing, classes), y_pred, alpha)
        if training and class_weight is not None:
            labels = jnp.argmax(y_true, axis=-1)
            values = values * class_weights(who, labels, class_weight, classes).astype(values.dtype)
        return values

    def _values(self, y_true: jax.Array, y_pred: jax.Array, alpha: Any) -> jax.Array:
        if self.from_logits:
            logarithm = jax.nn.log_softmax(y_pred)
            wrong = jnp.maximum(1.0 - jnp.exp(logarithm), EPSILON)  # a root of 0 has no slope
        else:
            p = clipped(y_pred / jnp.broadcast_to(total_probability(y_pred), y_pred.shape))
            logarithm, wrong = jnp.log(p), 1.0 - p
        return -jnp.sum(alpha * wrong**self.gamma * y_true * logarithm, axis=-1)


def _alpha(who: str, alpha: Any) -> float | tuple[float, ...]:
    if isinstance(alpha, (tuple, list)):
        return tuple(require_at_least_zero(who, "alpha", each) for each in alpha)
    return require_at_least_zero(who, "alpha", alpha)


def _of_classes(who: str, alpha: float | tuple[float, ...], y_pred: jax.Array) -> Any:
    if not isinstance(alpha, tuple):
        return alpha
    if len(alpha) != y_pred.shape[-1]:
        raise ValueError(
            f"{who} was given `alpha` for {len(alpha)} classes. `y_pred` has {y_pred.shape[-1]}. "
            "Give one number, or one for each class."
        )
    return jnp.broadcast_to(jnp.asarray(alpha, y_pred.dtype), y_pred.shape)
