"""The area under a curve of all thresholds: ROC, or precision against recall."""

from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp

from .._errors import short_type
from .._names import name_of
from .._on import On
from .._sums import merge_sums, quotient
from ._confusion import check_decided_labels, truth_of
from ._histogram import Cells, Histogram, add_to_histogram, cells, empty_histogram, evenly_spaced
from ._means import as_floating, full_weight
from ._metric import Metric
from ._options import levels, one_of, whole_number

_EDGE = 1e-7


class AUC(Metric):
    """The area under a curve: how well scores order yes before no, whatever threshold is chosen later.

    For "ROC", the curve of the rate of true positives over that of false positives: 0.5 by chance, 1 at best. For "PR",
    that of precision over recall. It is a sum over `num_thresholds` thresholds from 0 to 1, so scores that fall between
    the same two count as equal. With labels of one kind only, ROC is 0, and so is a PR without a yes.

    Args:
        num_thresholds: how many, 2 or more; state and accuracy grow with it, the time of a step does not.
        curve: "ROC" or "PR".
        summation_method: "interpolation" is the trapezoidal rule for ROC, and for PR the interpolation of Davis and
            Goadrich; "minoring" and "majoring" take the lower and the higher end of each interval.
        on: which part of `y_true` and `y_pred` this metric sees.
        thresholds: numbers between 0 and 1 to use instead of evenly spaced ones; 0 and 1 are added.
        multi_label: whether each output of the last axis has an area of its own, of which the mean is taken.
        num_labels: how many outputs there must be with `multi_label`; None takes those of `y_pred`.
        label_weights: one for each output of the last axis; with `multi_label` they weigh the areas, else the scores.
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        name: how logs call it; `auc` by default.

    Raises:
        ValueError: an unknown curve or method, fewer than 2 thresholds, or one outside of 0 to 1; `num_labels` without
            `multi_label`.

    Example:
        >>> y_true, y_pred = jnp.array([0, 0, 1, 1]), jnp.array([0.1, 0.5, 0.3, 0.9])
        >>> float(AUC()(y_true=y_true, y_pred=y_pred))
        0.75

    Reference:
        Davis and Goadrich, The Relationship Between Precision-Recall and ROC Curves, ICML 2006.
    """

    better = "higher"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: Literal["ROC", "PR"] = "ROC",
        summation_method: Literal["interpolation", "minoring", "majoring"] = "interpolation",
        on: On = None,
        *,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(on, name=name)
        called = name_of(self)
        self.thresholds = _with_ends(called, whole_number(called, "num_thresholds", num_thresholds, 2), thresholds)
        self.curve = one_of(called, "curve", curve, ("ROC", "PR"))
        methods = ("interpolation", "minoring", "majoring")
        self.summation_method = one_of(called, "summation_method", summation_method, methods)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = levels(called, label_weights)
        self.from_logits = from_logits
        if num_labels is not None and not multi_label:
            raise ValueError(
                f"The metric `{called}` was given `num_labels={num_labels}`. Without `multi_label=True` all labels are "
                "counted together. Give `multi_label=True`, or leave it out."
            )

    def empty(self, y_pred: Any = None) -> Histogram:
        """The state before the first batch.

        Args:
            y_pred: scores `(batch, *d)` or their abstract form; with `multi_label` the last axis counts the labels.

        Raises:
            ValueError: with `multi_label` there is no axis of labels, or one of another length.
        """
        return empty_histogram(self.thresholds, self._labels(y_pred) if self.multi_label else None)

    def update(self, state: Histogram, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Histogram:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: labels 0 or 1 of the shape of `y_pred`; or class numbers, integers, `(batch, *d)`, of which each
                class is asked for against the others.
            y_pred: probabilities, or logits, `(batch, *d)` or `(batch, *d, labels)`.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.

        Raises:
            ValueError: the shapes do not fit.
        """
        who = f"metric `{name_of(self)}`"
        truth, scores = truth_of(y_true, y_pred, who), as_floating(y_pred)
        weight = full_weight(sample_weight, scores, who)
        if self.label_weights is not None:
            self._labels(y_pred)
            if not self.multi_label:
                each = jnp.broadcast_to(jnp.asarray(self.label_weights, jnp.float32), scores.shape)
                weight = each if weight is None else weight * each
        scores = jax.nn.sigmoid(scores) if self.from_logits else scores
        return add_to_histogram(state, truth, scores, weight, self.thresholds)

    def merge(self, a: Histogram, b: Histogram) -> Histogram:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: Histogram) -> jax.Array:
        """The area so far, a float32 scalar."""
        areas = self._areas(cells(state))
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, jnp.float32)
        return quotient(jnp.sum(areas * weights), jnp.sum(weights))

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, or not between 0 and 1, on the host.

        Args:
            y_true: labels as a NumPy array, `(rows, *d)`.
            y_pred: scores, `(batch, *d)`, of which only the shape is read.

        Raises:
            ValueError: a label is out of range.
        """
        check_decided_labels(f"metric `{name_of(self)}`", y_true, y_pred)

    def _areas(self, found: Cells) -> jax.Array:
        right, wrong, rest, missed = found
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _interpolated(found)
        x, y = quotient(wrong, wrong + rest), quotient(right, right + missed)
        if self.curve == "PR":
            x, y = y, quotient(right, right + wrong)
        ends = jnp.stack([y[:-1], y[1:]])
        heights = {"interpolation": jnp.mean, "minoring": jnp.min, "majoring": jnp.max}[self.summation_method]
        return jnp.sum((x[:-1] - x[1:]) * heights(ends, axis=0), axis=0)

    def _labels(self, y_pred: Any) -> int:
        """How many outputs the last axis has, if these are as many as they must be."""
        weights = self.label_weights
        asked = self.num_labels if weights is None else len(weights)
        have = y_pred.shape[-1] if len(getattr(y_pred, "shape", ())) > 1 else 0
        if not have or (asked is not None and asked != have):
            raise ValueError(
                f"metric `{name_of(self)}` looks at each label by itself. `y_pred` is {short_type(y_pred)}, where "
                f"{'any number of' if asked is None else asked} labels in the last axis were expected. "
                "Give it scores of shape `(batch, labels)`, or change `num_labels` and `label_weights`."
            )
        return have


def _interpolated(found: Cells) -> jax.Array:
    """The area under precision over recall, where true and false positives grow linearly between two thresholds."""
    right, wrong, _, missed = found
    decided = right + wrong
    more_right = right[:-1] - right[1:]
    slope = quotient(more_right, more_right + (wrong[:-1] - wrong[1:]))
    start = right[1:] - slope * decided[1:]
    ratio = jnp.where((decided[:-1] > 0) & (decided[1:] > 0), decided[:-1] / jnp.maximum(decided[1:], _EDGE), 1.0)
    return jnp.sum(quotient(slope * (more_right + start * jnp.log(ratio)), right[1:] + missed[1:]), axis=0)


def _with_ends(name: str, number: int, thresholds: Sequence[float] | None) -> tuple[float, ...]:
    """The thresholds in order, with one below all probabilities and one above."""
    inner = evenly_spaced(number)[1:-1] if thresholds is None else tuple(sorted(levels(name, thresholds) or ()))
    if any(not 0 <= level <= 1 for level in inner):
        raise ValueError(
            f"The metric `{name}` was given the thresholds {list(inner)}. They are compared with probabilities. "
            "Give numbers from 0 to 1; for logits, `from_logits=True`."
        )
    return (-_EDGE, *inner, 1 + _EDGE)
