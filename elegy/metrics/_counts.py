"""How many decisions were right and wrong: the four cells of the yes/no confusion matrix, one a metric."""

from collections.abc import Sequence
from typing import Any, Literal

import jax

from .._names import name_of
from .._on import On
from .._sums import ExactSum, add_to_sum, merge_sums, sum_value, zero_sum
from ._confusion import Decision, check_decided_labels, decisions_of, truth_of, weight_of
from ._means import full_weight
from ._metric import Metric
from ._options import levels, one_of

Cell = Literal["true_positives", "false_positives", "true_negatives", "false_negatives"]

# By cell what was decided, and what the label says.
_CELLS: dict[str, tuple[bool, bool]] = {
    "true_positives": (True, True),
    "false_positives": (True, False),
    "true_negatives": (False, False),
    "false_negatives": (False, True),
}


class AbstractCount(Metric):
    """The four verbs of a metric that counts one cell, `self.cell`."""

    cell: Cell

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, on: On = None, *, name: str | None = None
    ) -> None:
        super().__init__(on, name=name)
        self.thresholds = levels(name_of(self), thresholds)

    def empty(self) -> ExactSum:
        """The state before the first batch."""
        return zero_sum((len(self.thresholds or (0.5,)),))

    def update(self, state: ExactSum, y_true: Any, y_pred: Any, sample_weight: Any = None) -> ExactSum:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: labels 0 or 1 of the shape of `y_pred`; or class numbers, integers, `(batch, *d)` or
                `(batch, *d, 1)`.
            y_pred: scores, `(batch, *d)` or `(batch, *d, classes)`.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.

        Raises:
            ValueError: the shapes do not fit.
        """
        who = f"metric `{name_of(self)}`"
        truth = truth_of(y_true, y_pred, who)
        decided = decisions_of(y_true, y_pred, Decision(self.thresholds, top_k=None, class_id=None, per_class=False))
        is_decided, is_true = _CELLS[self.cell]
        hits = (decided == is_decided) & (truth == is_true)[None]
        axes = tuple(range(1, hits.ndim))
        return add_to_sum(state, weight_of(hits, full_weight(sample_weight, truth, who), axes))

    def merge(self, a: ExactSum, b: ExactSum) -> ExactSum:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: ExactSum) -> jax.Array:
        """The count so far: a scalar; with several thresholds one for each of them."""
        counts = sum_value(state)
        return counts if len(counts) > 1 else counts[0]

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, or not between 0 and 1, on the host.

        Args:
            y_true: labels as a NumPy array.
            y_pred: scores, of which the shape counts.

        Raises:
            ValueError: a label is out of range.
        """
        check_decided_labels(f"metric `{name_of(self)}`", y_true, y_pred)


class ReduceConfusionMatrix(AbstractCount):
    """One cell of the yes/no confusion matrix, chosen by name.

    `sum(w)` over the decisions of this kind; a score above the threshold decides for yes.

    Args:
        reduction: `true_positives`, `false_positives`, `true_negatives` or `false_negatives`.
        on: which part of `y_true` and `y_pred` this metric sees.
        thresholds: a score above one means yes; 0.5 by default. Several give a vector with one count for each.
        name: how logs call it; `reduce_confusion_matrix` by default.

    Raises:
        ValueError: no such cell; thresholds that are no numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> y_true, y_pred = jnp.array([0, 1, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.7])
        >>> float(ReduceConfusionMatrix("false_negatives")(y_true=y_true, y_pred=y_pred))
        1.0
    """

    def __init__(
        self,
        reduction: Cell,
        on: On = None,
        *,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(thresholds, on, name=name)
        self.cell = one_of(name_of(self), "reduction", reduction, tuple(_CELLS))
        self.better = "higher" if reduction.startswith("true") else "lower"


class TruePositives(AbstractCount):
    """How often yes was decided, and the label says yes: the sum of the weights.

    Args:
        thresholds: a score above one means yes; 0.5 by default, and for class numbers the highest score. Several give a
            vector with one count for each.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `true_positives` by default.

    Raises:
        ValueError: thresholds that are no numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> y_true, y_pred = jnp.array([0, 1, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.7])
        >>> float(TruePositives()(y_true=y_true, y_pred=y_pred))
        2.0
    """

    better = "higher"
    cell = "true_positives"


class FalsePositives(AbstractCount):
    """How often yes was decided, but the label says no: the sum of the weights.

    Args:
        thresholds: a score above one means yes; 0.5 by default, and for class numbers the highest score. Several give a
            vector with one count for each.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `false_positives` by default.

    Raises:
        ValueError: thresholds that are no numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> y_true, y_pred = jnp.array([0, 1, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.7])
        >>> FalsePositives(thresholds=[0.5, 0.95])(y_true=y_true, y_pred=y_pred).tolist()
        [1.0, 0.0]
    """

    better = "lower"
    cell = "false_positives"


class TrueNegatives(AbstractCount):
    """How often no was decided, and the label says no: the sum of the weights.

    Args:
        thresholds: a score above one means yes; 0.5 by default, and for class numbers the highest score. Several give a
            vector with one count for each.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `true_negatives` by default.

    Raises:
        ValueError: thresholds that are no numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> y_true, y_pred = jnp.array([0, 0, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.7])
        >>> float(TrueNegatives()(y_true=y_true, y_pred=y_pred))
        1.0
    """

    better = "higher"
    cell = "true_negatives"


class FalseNegatives(AbstractCount):
    """How often no was decided, but the label says yes: the sum of the weights.

    Args:
        thresholds: a score above one means yes; 0.5 by default, and for class numbers the highest score. Several give a
            vector with one count for each.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `false_negatives` by default.

    Raises:
        ValueError: thresholds that are no numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> y_true, y_pred = jnp.array([0, 1, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.7])
        >>> float(FalseNegatives()(y_true=y_true, y_pred=y_pred, sample_weight=jnp.array([1.0, 0.5, 1.0, 1.0])))
        0.5
    """

    better = "lower"
    cell = "false_negatives"
