"""Precision, recall and F1: of one yes/no score, of several labels, and of classes."""

import abc
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp

from .._errors import did_you_mean
from .._names import name_of
from .._on import On
from .._sums import quotient, sum_value
from ._confusion import Counts, Decision, add_to_counts, check_decided_labels, empty_counts, merge_counts
from ._metric import Better, Metric
from ._options import levels, optional_whole_number

Average = Literal["micro", "macro", "weighted"] | None


class AbstractDecisionMetric(Metric, abc.ABC):
    """The four verbs of a metric that is a quotient of decisions; a subclass writes `score`."""

    better: Better = "higher"

    def __init__(
        self,
        on: On = None,
        *,
        threshold: float | None = None,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        average: Average = "micro",
        name: str | None = None,
    ) -> None:
        self.on = on
        self.name = name
        self.thresholds = _as_thresholds(name_of(self), on, threshold, thresholds)
        self.top_k = optional_whole_number(name_of(self), "top_k", top_k, least=1)
        self.class_id = optional_whole_number(name_of(self), "class_id", class_id, least=0)
        self.average = _as_average(name_of(self), average, class_id)

    @abc.abstractmethod
    def score(self, true_positives: jax.Array, false_positives: jax.Array, false_negatives: jax.Array) -> jax.Array:
        """The quotient of counts of any shape; 0/0 is 0."""

    def empty(self, y_pred: Any = None) -> Counts:
        """The state before the first batch.

        Args:
            y_pred: scores or their abstract form; unless `average` is "micro", they tell how many classes there are.

        Raises:
            ValueError: `average` needs an axis of classes, and there is none.
        """
        return empty_counts(self._decision, y_pred, f"metric `{name_of(self)}`")

    def update(self, state: Counts, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Counts:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: labels 0 or 1 of the shape of `y_pred`; or class numbers, integers, `(batch, *d)` or
                `(batch, *d, 1)`.
            y_pred: scores, `(batch, *d)` or `(batch, *d, classes)`.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.

        Raises:
            ValueError: the shapes do not fit, or there is no such class.
        """
        who = f"metric `{name_of(self)}`"
        return add_to_counts(state, y_true, y_pred, sample_weight, decision=self._decision, who=who)

    def merge(self, a: Counts, b: Counts) -> Counts:
        """The state of two sets of batches together."""
        return merge_counts(a, b)

    def compute(self, state: Counts) -> jax.Array:
        """The score so far: a scalar; with several thresholds, or with `average=None`, one for each of them."""
        right, wrong, missed = (sum_value(count) for count in state)
        scores = self.score(right, wrong, missed)
        if self.average == "macro":
            scores = jnp.mean(scores, axis=-1)
        elif self.average == "weighted":
            support = right + missed
            scores = quotient(jnp.sum(support * scores, axis=-1), jnp.sum(support, axis=-1))
        return scores if len(scores) > 1 else scores[0]

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, or not between 0 and 1, on the host.

        Args:
            y_true: labels as a NumPy array.
            y_pred: scores, of which the shape counts.

        Raises:
            ValueError: a label is out of range.
        """
        check_decided_labels(f"metric `{name_of(self)}`", y_true, y_pred)

    @property
    def _decision(self) -> Decision:
        return Decision(self.thresholds, self.top_k, self.class_id, per_class=self.average != "micro")


class Precision(AbstractDecisionMetric):
    """How many of the decisions for yes were right.

    `true positives / (true positives + false positives)`, each the sum of its weights; 0/0 is 0. Labels of the shape of
    the scores are yes/no for each score, and a score above the threshold decides for yes. Class numbers against one
    score for each class: the highest score decides, unless a threshold or `top_k` is given.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        threshold: a score above it means yes; 0.5 by default.
        thresholds: the same, or several: then the value is a vector with one score for each.
        top_k: only the k highest scores along the last axis may mean yes; without a threshold all of these do.
        class_id: look at this class of the last axis only.
        average: "micro" counts all classes together; None gives a vector with one score for each class, "macro" its
            mean over all classes (one that never occurs counts with 0), "weighted" its mean weighted by how often a
            class is the label.
        name: how logs call it; `precision` by default.

    Raises:
        ValueError: both `threshold` and `thresholds`; an empty list or a value that is no number; `top_k` below 1;
            `class_id` below 0, or together with an average over classes; an unknown average.

    Example:
        >>> y_true, y_pred = jnp.array([0, 1, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.7])
        >>> round(float(Precision()(y_true=y_true, y_pred=y_pred)), 4)
        0.6667
        >>> scores = jnp.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]])
        >>> Precision(average=None)(y_true=jnp.array([0, 1, 1]), y_pred=scores).tolist()
        [0.5, 1.0]
    """

    def score(self, true_positives: jax.Array, false_positives: jax.Array, false_negatives: jax.Array) -> jax.Array:
        """`true positives / (true positives + false positives)`."""
        del false_negatives
        return quotient(true_positives, true_positives + false_positives)


class Recall(AbstractDecisionMetric):
    """How many of the labels that say yes were found.

    `true positives / (true positives + false negatives)`, each the sum of its weights; 0/0 is 0. What is decided, and
    all arguments, are those of `Precision`.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        threshold: a score above it means yes; 0.5 by default.
        thresholds: the same, or several: then the value is a vector.
        top_k: only the k highest scores along the last axis may mean yes.
        class_id: look at this class of the last axis only.
        average: "micro", None, "macro" or "weighted".
        name: how logs call it; `recall` by default.

    Raises:
        ValueError: see `Precision`.

    Example:
        >>> y_true, y_pred = jnp.array([0, 1, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.7])
        >>> round(float(Recall()(y_true=y_true, y_pred=y_pred)), 4)
        0.6667
    """

    def score(self, true_positives: jax.Array, false_positives: jax.Array, false_negatives: jax.Array) -> jax.Array:
        """`true positives / (true positives + false negatives)`."""
        del false_positives
        return quotient(true_positives, true_positives + false_negatives)


class F1(AbstractDecisionMetric):
    """The harmonic mean of precision and recall: high only if both are.

    `2 * true positives / (2 * true positives + false positives + false negatives)`, each the sum of its weights; 0/0 is
    0. Averages over classes are those of the classes' F1. What is decided, and all arguments, are those of `Precision`.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        threshold: a score above it means yes; 0.5 by default.
        thresholds: the same, or several: then the value is a vector.
        top_k: only the k highest scores along the last axis may mean yes.
        class_id: look at this class of the last axis only.
        average: "micro", None, "macro" or "weighted".
        name: how logs call it; `f1` by default.

    Raises:
        ValueError: see `Precision`.

    Example:
        >>> y_true, y_pred = jnp.array([0, 1, 1, 1]), jnp.array([0.9, 0.0, 0.8, 0.2])
        >>> float(F1()(y_true=y_true, y_pred=y_pred))
        0.4000000059604645
    """

    def score(self, true_positives: jax.Array, false_positives: jax.Array, false_negatives: jax.Array) -> jax.Array:
        """`2 * true positives / (2 * true positives + false positives + false negatives)`."""
        twice = 2 * true_positives
        return quotient(twice, twice + false_positives + false_negatives)


def _as_thresholds(
    name: str, on: Any, threshold: float | None, thresholds: float | Sequence[float] | None
) -> tuple[float, ...] | None:
    if isinstance(on, float):
        raise ValueError(
            f"The metric `{name}` was given `on={on}`. `on` is a key or an index of the outputs. "
            f"Write `threshold={on}` if a threshold was meant."
        )
    if threshold is not None and thresholds is not None:
        raise ValueError(
            f"The metric `{name}` was given `threshold={threshold}` and `thresholds={thresholds}`. Both say which "
            "scores mean yes. Give one of them."
        )
    return levels(name, threshold if thresholds is None else thresholds)


def _as_average(name: str, average: Any, class_id: int | None) -> Average:
    names = ("micro", "macro", "weighted")
    if average is not None and average not in names:
        raise ValueError(
            f"The metric `{name}` was given `average={average!r}`. The averages are: None, micro, macro, weighted. "
            "Use one of these." + did_you_mean(str(average), names)
        )
    if class_id is not None and average != "micro":
        raise ValueError(
            f"The metric `{name}` was given `class_id={class_id}` and `average={average!r}`. One class leaves nothing "
            "to average over. Give one of them."
        )
    return average
