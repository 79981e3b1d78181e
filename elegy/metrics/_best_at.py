"""The best of one rate among all thresholds where another rate is high enough."""

import abc
from typing import Any

import jax
import jax.numpy as jnp

from .._names import name_of
from .._on import On
from .._sums import merge_sums, quotient
from ..losses._options import require_share
from ._confusion import check_decided_labels, require_classes, truth_of
from ._histogram import Cells, Histogram, add_to_histogram, cells, empty_histogram, evenly_spaced
from ._means import as_floating, full_weight
from ._metric import Metric
from ._options import optional_whole_number, whole_number


class AbstractBestAt(Metric, abc.ABC):
    """The four verbs of such a metric; a subclass says by `rates` which rate bounds and which one is wanted."""

    better = "higher"
    least: float

    def __init__(self, num_thresholds: int, class_id: int | None, on: On, name: str | None) -> None:
        super().__init__(on, name=name)
        number = whole_number(name_of(self), "num_thresholds", num_thresholds, least=1)
        self.thresholds = evenly_spaced(number) if number > 1 else (0.5,)
        self.class_id = optional_whole_number(name_of(self), "class_id", class_id, least=0)

    @abc.abstractmethod
    def rates(self, found: Cells) -> tuple[jax.Array, jax.Array]:
        """For each threshold the rate that must be high enough, and the wanted one."""

    def empty(self) -> Histogram:
        """The state before the first batch."""
        return empty_histogram(self.thresholds)

    def update(self, state: Histogram, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Histogram:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: labels 0 or 1 of the shape of `y_pred`; or class numbers, integers, `(batch, *d)`.
            y_pred: probabilities, `(batch, *d)` or `(batch, *d, classes)`.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.

        Raises:
            ValueError: the shapes do not fit, or there is no such class.
        """
        who = f"metric `{name_of(self)}`"
        require_classes(who, "class_id", self.class_id, y_pred)
        truth, scores = truth_of(y_true, y_pred, who), as_floating(y_pred)
        weight = full_weight(sample_weight, scores, who)
        if self.class_id is not None:
            truth, scores = truth[..., self.class_id], scores[..., self.class_id]
            weight = None if weight is None else weight[..., self.class_id]
        return add_to_histogram(state, truth, scores, weight, self.thresholds)

    def merge(self, a: Histogram, b: Histogram) -> Histogram:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: Histogram) -> jax.Array:
        """The best rate so far, a float32 scalar; 0 if the other rate is nowhere high enough."""
        bound, wanted = self.rates(cells(state))
        return jnp.max(jnp.where(bound >= self.least, wanted, 0.0))

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, or not between 0 and 1, on the host.

        Args:
            y_true: labels as a NumPy array.
            y_pred: scores, of which the shape counts.

        Raises:
            ValueError: a label is out of range.
        """
        check_decided_labels(f"metric `{name_of(self)}`", y_true, y_pred)


class SensitivityAtSpecificity(AbstractBestAt):
    """The best sensitivity that any threshold gives whose specificity is at least `specificity`.

    Sensitivity is `true positives / (true positives + false negatives)`, and specificity `true negatives / (true
    negatives + false positives)`, each the sum of its weights; 0/0 is 0. A score above a threshold means yes;
    `num_thresholds` of them lie evenly between 0 and 1. If none has such a specificity, it is 0.

    Args:
        specificity: the least that counts, 0 to 1.
        num_thresholds: how many thresholds are tried, 1 or more.
        class_id: look at this class of the last axis only.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `sensitivity_at_specificity` by default.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> y_true, y_pred = jnp.array([0, 0, 0, 1, 1]), jnp.array([0.0, 0.3, 0.8, 0.3, 0.8])
        >>> round(float(SensitivityAtSpecificity(0.5)(y_true=y_true, y_pred=y_pred)), 4)
        0.5
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(num_thresholds, class_id, on, name)
        self.least = require_share(f"metric `{name_of(self)}`", "specificity", specificity)

    def rates(self, found: Cells) -> tuple[jax.Array, jax.Array]:
        """Specificity and sensitivity."""
        right, wrong, rest, missed = found
        return quotient(rest, rest + wrong), quotient(right, right + missed)


class SpecificityAtSensitivity(AbstractBestAt):
    """The best specificity that any threshold gives whose sensitivity is at least `sensitivity`.

    Specificity is `true negatives / (true negatives + false positives)`, and sensitivity `true positives / (true
    positives + false negatives)`, each the sum of its weights; 0/0 is 0. A score above a threshold means yes;
    `num_thresholds` of them lie evenly between 0 and 1. If none has such a sensitivity, it is 0.

    Args:
        sensitivity: the least that counts, 0 to 1.
        num_thresholds: how many thresholds are tried, 1 or more.
        class_id: look at this class of the last axis only.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `specificity_at_sensitivity` by default.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> y_true, y_pred = jnp.array([0, 0, 0, 1, 1]), jnp.array([0.0, 0.3, 0.8, 0.3, 0.8])
        >>> round(float(SpecificityAtSensitivity(0.5)(y_true=y_true, y_pred=y_pred)), 4)
        0.6667
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(num_thresholds, class_id, on, name)
        self.least = require_share(f"metric `{name_of(self)}`", "sensitivity", sensitivity)

    def rates(self, found: Cells) -> tuple[jax.Array, jax.Array]:
        """Sensitivity and specificity."""
        right, wrong, rest, missed = found
        return quotient(right, right + missed), quotient(rest, rest + wrong)


class PrecisionAtRecall(AbstractBestAt):
    """The best precision that any threshold gives whose recall is at least `recall`.

    Precision is `true positives / (true positives + false positives)`, and recall `true positives / (true positives +
    false negatives)`, each the sum of its weights; 0/0 is 0. A score above a threshold means yes; `num_thresholds` of
    them lie evenly between 0 and 1. If none has such a recall, it is 0.

    Args:
        recall: the least that counts, 0 to 1.
        num_thresholds: how many thresholds are tried, 1 or more.
        class_id: look at this class of the last axis only.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `precision_at_recall` by default.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> y_true, y_pred = jnp.array([0, 0, 0, 1, 1]), jnp.array([0.0, 0.3, 0.8, 0.3, 0.8])
        >>> round(float(PrecisionAtRecall(0.5)(y_true=y_true, y_pred=y_pred)), 4)
        0.5
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(num_thresholds, class_id, on, name)
        self.least = require_share(f"metric `{name_of(self)}`", "recall", recall)

    def rates(self, found: Cells) -> tuple[jax.Array, jax.Array]:
        """Recall and precision."""
        right, wrong, _, missed = found
        return quotient(right, right + missed), quotient(right, right + wrong)


class RecallAtPrecision(AbstractBestAt):
    """The best recall that any threshold gives whose precision is at least `precision`.

    Recall is `true positives / (true positives + false negatives)`, and precision `true positives / (true positives +
    false positives)`, each the sum of its weights; 0/0 is 0. A score above a threshold means yes; `num_thresholds` of
    them lie evenly between 0 and 1. If none has such a precision, it is 0.

    Args:
        precision: the least that counts, 0 to 1.
        num_thresholds: how many thresholds are tried, 1 or more.
        class_id: look at this class of the last axis only.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `recall_at_precision` by default.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> y_true, y_pred = jnp.array([0, 0, 0, 1, 1]), jnp.array([0.0, 0.3, 0.8, 0.3, 0.8])
        >>> round(float(RecallAtPrecision(0.5)(y_true=y_true, y_pred=y_pred)), 4)
        1.0
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(num_thresholds, class_id, on, name)
        self.least = require_share(f"metric `{name_of(self)}`", "precision", precision)

    def rates(self, found: Cells) -> tuple[jax.Array, jax.Array]:
        """Precision and recall."""
        right, wrong, _, missed = found
        return quotient(right, right + wrong), quotient(right, right + missed)
