"""The crossentropy of yes/no labels, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import numpy as np
import optax

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._class_weight import class_weights
from ._loss import Loss
from ._operands import mean_of_last_axis, paired
from ._options import require_bool, require_smoothing
from ._probabilities import clipped, smoothed, yes_no_crossentropy


def binary_crossentropy(
    y_true: Any, y_pred: Any, *, from_logits: bool = False, label_smoothing: float = 0.0
) -> jax.Array:
    """How surprised yes/no probabilities are by the labels, in nats; each output decides for itself.

    Per element, with the probability `p`: `-y_true * log(p) - (1 - y_true) * log(1 - p)`; then the mean over the last
    axis. Probabilities are kept 1e-7 away from 0 and 1; logits are exact at any size.

    Args:
        y_true: labels, 0 to 1, `(batch, *d)`.
        y_pred: probabilities, or logits, same shape.
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/2`.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast), or an option is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> binary_crossentropy(jnp.array([[1.0], [0.0]]), jnp.array([[0.5], [0.5]]))
        Array([0.6931472, 0.6931472], dtype=float32)
    """
    who = "loss `binary_crossentropy`"
    require_bool(who, "from_logits", from_logits)
    y_true, y_pred = paired(who, y_true, y_pred)
    return mean_of_last_axis(_elements(y_true, y_pred, from_logits, require_smoothing(who, label_smoothing)))


class BinaryCrossentropy(Loss):
    """How surprised yes/no probabilities are by the labels, in nats; each output decides for itself.

    Per element, with the probability `p`: `-y_true * log(p) - (1 - y_true) * log(1 - p)`; then the mean over the last
    axis, then reduced over samples. Probabilities are kept 1e-7 away from 0 and 1; logits are exact at any size.
    In training each element is multiplied by the `class_weight` of 1 where `y_true > 0.5`, else by that of 0; what
    is divided by stays the number of values.

    Args:
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/2`.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `binary_crossentropy` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> loss = BinaryCrossentropy(from_logits=True)
        >>> round(float(loss(y_true=jnp.array([[1], [0]]), y_pred=jnp.array([[0.0], [0.0]]))), 4)
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
            y_true: labels, 0 to 1, `(batch, *d)`.
            y_pred: probabilities, or logits, same shape.
            class_weight: None, or the weights of the classes 0 and 1; a missing one is 1.
            training: whether class weights count; they do not in evaluation.

        Returns:
            `(batch, *d[:-1])`; for vectors `(batch,)`.

        Raises:
            ValueError: the shapes differ, or `class_weight` lists other classes.
        """
        who = f"loss `{name_of(self)}`"
        y_true, y_pred = paired(who, y_true, y_pred)
        values = _elements(y_true, y_pred, self.from_logits, self.label_smoothing)
        if training and class_weight is not None:
            values = values * class_weights(who, y_true > 0.5, class_weight, 2).astype(values.dtype)
        return mean_of_last_axis(values)

    def check(self, y_true: Any) -> None:
        """Refuse labels that are not finite, on the host.

        Args:
            y_true: labels as a NumPy array, `(rows, *d)`.

        Raises:
            ValueError: a label is NaN or infinite.
        """
        check_finite(f"loss `{name_of(self)}`", y_true)


def check_finite(who: str, y_true: Any) -> None:
    """Refuse yes/no labels that are not finite; reads the values, so it runs on the host.

    Args:
        who: how errors call the loss.
        y_true: labels, a NumPy array, `(rows, *d)`.

    Raises:
        ValueError: a label is NaN or infinite; the first one and its row are named.
    """
    labels = np.asarray(y_true)
    wrong = np.argwhere(~np.isfinite(labels))
    if len(wrong):
        place = tuple(wrong[0])
        raise ValueError(
            f"{who} was given the label {labels[place]}, in row {place[0] if place else 0}. "
            "Yes/no labels are numbers from 0 to 1. Correct the labels, or leave these rows out."
        )


def _elements(y_true: jax.Array, y_pred: jax.Array, from_logits: bool, label_smoothing: float) -> jax.Array:
    y_true = smoothed(y_true, label_smoothing, 2)
    if from_logits:
        return optax.losses.sigmoid_binary_cross_entropy(y_pred, y_true)
    return yes_no_crossentropy(y_true, clipped(y_pred))
