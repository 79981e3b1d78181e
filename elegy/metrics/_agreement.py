"""How well predicted classes agree with labels: overlap, and agreement beyond chance."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from .._names import name_of
from .._on import On
from .._sums import quotient
from ._confusion_matrix import AbstractConfusionMetric
from ._options import one_of


class MeanIoU(AbstractConfusionMetric):
    """The mean over the classes of intersection over union, as segmentation is scored.

    Of each class `true positives / (true positives + false positives + false negatives)`, each the sum of its weights;
    the mean is over the classes that occur as label or prediction. Scores decide by the highest one; integers are
    class numbers already.

    Args:
        num_classes: how many classes there are; None: as many as there are scores.
        on: which part of `y_true` and `y_pred` this metric sees.
        ignore_class: labels of this number count for nothing, like 255 for what nobody labelled.
        threshold: where there is one score a label, one above it means class 1.
        name: how logs call it; `mean_io_u` by default.

    Raises:
        ValueError: `num_classes` is below 2.

    Example:
        >>> y_true, y_pred = jnp.array([0, 0, 1, 1]), jnp.array([0, 1, 0, 1])
        >>> round(float(MeanIoU(num_classes=2)(y_true=y_true, y_pred=y_pred)), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int | None = None,
        on: On = None,
        *,
        ignore_class: int | None = None,
        threshold: float = 0.5,
        name: str | None = None,
    ) -> None:
        super().__init__(num_classes, on, threshold=threshold, name=name)
        self.ignore_class = ignore_class

    def score(self, matrix: jax.Array) -> jax.Array:
        """The mean of the overlaps."""
        right = jnp.diagonal(matrix)
        union = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - right
        occurs = union > 0
        if self.ignore_class is not None:
            occurs = occurs & (jnp.arange(len(right)) != self.ignore_class)
        overlaps = jnp.where(occurs, quotient(right, union), 0.0)
        return quotient(jnp.sum(overlaps), jnp.sum(occurs.astype(jnp.float32)))


class MatthewsCorrelation(AbstractConfusionMetric):
    """The correlation between labels and predicted classes: 1 if all are right, 0 by chance, also for rare classes.

    With the weights' shares `c` of right predictions, `t` of each label and `p` of each prediction:
    `(c - sum(t * p)) / sqrt((1 - sum(t²)) * (1 - sum(p²)))`; 0 if all labels, or all predictions, are of one class.

    Args:
        num_classes: how many classes there are; None: as many as there are scores.
        on: which part of `y_true` and `y_pred` this metric sees.
        threshold: where there is one score a label, one above it means class 1.
        name: how logs call it; `matthews_correlation` by default.

    Raises:
        ValueError: `num_classes` is below 2.

    Example:
        >>> y_true, y_pred = jnp.array([1, 1, 1, 0]), jnp.array([0.9, 0.2, 0.8, 0.1])
        >>> round(float(MatthewsCorrelation()(y_true=y_true, y_pred=y_pred)), 4)
        0.5774

    Reference:
        Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004.
    """

    def score(self, matrix: jax.Array) -> jax.Array:
        """The correlation."""
        unequal = jnp.asarray(1 - np.eye(len(matrix)), jnp.float32)
        shares, labels, predicted = _shares(matrix)
        chance = labels @ unequal @ predicted
        spread = jnp.sqrt(labels @ unequal @ labels) * jnp.sqrt(predicted @ unequal @ predicted)
        return jnp.where(spread == 0, 0.0, quotient(chance - jnp.sum(unequal * shares), spread))


class CohenKappa(AbstractConfusionMetric):
    """How much labels and predicted classes agree beyond chance: 1 is always, 0 as often as by chance.

    `1 - sum(d * m) / sum(d * e)`, with `m` the shares of the confusion matrix, `e` those by chance, and `d` how bad a
    mistake is; 0 if all labels and predictions are of one class.

    Args:
        num_classes: how many classes there are; None: as many as there are scores.
        on: which part of `y_true` and `y_pred` this metric sees.
        weights: None: all mistakes are equally bad; "linear" and "quadratic": as the distance of the class numbers, or
            its square, for classes that have an order.
        threshold: where there is one score a label, one above it means class 1.
        name: how logs call it; `cohen_kappa` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> y_true, y_pred = jnp.array([1, 1, 1, 0]), jnp.array([0.9, 0.2, 0.8, 0.1])
        >>> float(CohenKappa()(y_true=y_true, y_pred=y_pred))
        0.5

    Reference:
        Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20, 1960.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        on: On = None,
        *,
        weights: Literal["linear", "quadratic"] | None = None,
        threshold: float = 0.5,
        name: str | None = None,
    ) -> None:
        super().__init__(num_classes, on, threshold=threshold, name=name)
        self.weights = one_of(name_of(self), "weights", weights, (None, "linear", "quadratic"))

    def score(self, matrix: jax.Array) -> jax.Array:
        """The agreement."""
        distance = np.abs(np.subtract.outer(np.arange(len(matrix)), np.arange(len(matrix))))
        bad = {None: distance > 0, "linear": distance, "quadratic": distance**2}[self.weights]
        bad = jnp.asarray(bad, jnp.float32)
        shares, labels, predicted = _shares(matrix)
        chance = labels @ bad @ predicted
        return jnp.where(chance == 0, 0.0, 1 - quotient(jnp.sum(bad * shares), chance))


def _shares(matrix: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The matrix, the labels and the predictions, each as shares of all weights."""
    shares = quotient(matrix, jnp.broadcast_to(jnp.sum(matrix), matrix.shape))
    return shares, jnp.sum(shares, axis=1), jnp.sum(shares, axis=0)
