"""The focal crossentropy of yes/no labels, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import optax

from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._binary_crossentropy import check_finite
from ._class_weight import class_weights
from ._loss import Loss
from ._operands import mean_of_last_axis, paired
from ._options import require_at_least_zero, require_bool, require_share, require_smoothing
from ._probabilities import clipped, smoothed, yes_no_crossentropy


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    *,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> jax.Array:
    """The crossentropy of yes/no labels, in which what is already right with confidence hardly counts.

    Per element, with the probability `p`: the binary crossentropy times `(y_true * (1 - p) + (1 - y_true) * p)**gamma`;
    then the mean over the last axis. Probabilities are kept 1e-7 away from 0 and 1; logits are exact at any size.

    Args:
        y_true: labels, 0 to 1, `(batch, *d)`.
        y_pred: probabilities, or logits, same shape.
        apply_class_balancing: whether values are multiplied by `alpha` for yes and by `1 - alpha` for no.
        alpha: in [0, 1]; what yes weighs, used only with `apply_class_balancing`.
        gamma: how little easy elements count, at least 0; with 0 all count the same.
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/2`.

    Returns:
        One value for each sample or position, `(batch, *d[:-1])`; vectors `(batch,)` are not averaged.

    Raises:
        ValueError: the shapes differ (nothing is broadcast), or an option is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> binary_focal_crossentropy(jnp.array([[1.0], [1.0]]), jnp.array([[0.5], [0.9]])).round(4)
        Array([0.1733, 0.0011], dtype=float32)

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
    """
    loss = BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing)
    return loss.call(y_true, y_pred)


class BinaryFocalCrossentropy(Loss):
    """The crossentropy of yes/no labels, in which what is already right with confidence hardly counts.

    Per element, with the probability `p`: the binary crossentropy times `(y_true * (1 - p) + (1 - y_true) * p)**gamma`;
    then the mean over the last axis, then reduced over samples. Probabilities are kept 1e-7 away from 0 and 1; logits
    are exact at any size. In training each element is multiplied by the `class_weight` of 1 where `y_true > 0.5`, else
    by that of 0.

    Args:
        apply_class_balancing: whether values are multiplied by `alpha` for yes and by `1 - alpha` for no.
        alpha: in [0, 1]; what yes weighs, used only with `apply_class_balancing`.
        gamma: how little easy elements count, at least 0; with 0 all count the same.
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        label_smoothing: in [0, 1); with `s`, labels become `y_true * (1 - s) + s/2`.
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        name: how logs call it; `binary_focal_crossentropy` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> loss = BinaryFocalCrossentropy(from_logits=True, gamma=1.0)
        >>> round(float(loss(y_true=jnp.array([[1], [0]]), y_pred=jnp.array([[0.0], [0.0]]))), 4)
        0.3466

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
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
        self.apply_class_balancing = require_bool(who, "apply_class_balancing", apply_class_balancing)
        self.alpha = require_share(who, "alpha", alpha)
        self.gamma = require_at_least_zero(who, "gamma", gamma)
        self.from_logits = require_bool(who, "from_logits", from_logits)
        self.label_smoothing = require_smoothing(who, label_smoothing)

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
        values = self._elements(smoothed(y_true, self.label_smoothing, 2), y_pred)
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

    def _elements(self, y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
        if self.from_logits:
            alpha = self.alpha if self.apply_class_balancing else None
            return optax.losses.sigmoid_focal_loss(y_pred, y_true, alpha=alpha, gamma=self.gamma)
        p = clipped(y_pred)
        wrong = y_true * (1.0 - p) + (1.0 - y_true) * p
        values = yes_no_crossentropy(y_true, p) * wrong**self.gamma
        if not self.apply_class_balancing:
            return values
        return values * (y_true * self.alpha + (1.0 - y_true) * (1.0 - self.alpha))
