"""Counting right and wrong decisions: what precision, recall and F1 are made of."""

import dataclasses
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._errors import short_type
from .._labels import check_binary_labels, check_labels, class_labels, require_same_shape, squeeze_labels
from .._sums import ExactSum, add_to_sum, merge_sums, zero_sum
from ._means import as_floating, full_weight


class Counts(NamedTuple):
    """Sums of the weights of decisions, `(thresholds,)` or `(thresholds, classes)`.

    Attributes:
        true_positives: decided yes, and the label says yes.
        false_positives: decided yes, but the label says no.
        false_negatives: decided no, but the label says yes.
    """

    true_positives: ExactSum
    false_positives: ExactSum
    false_negatives: ExactSum


@dataclasses.dataclass(frozen=True)
class Decision:
    """How scores become decisions.

    Attributes:
        thresholds: a score above one means yes, for each of them; None: 0.5, or the highest score for class numbers.
        top_k: only the k highest scores along the last axis may mean yes; with it None as thresholds means any score.
        class_id: count one class of the last axis only; None counts all.
        per_class: whether classes are counted apart.
    """

    thresholds: tuple[float, ...] | None
    top_k: int | None
    class_id: int | None
    per_class: bool


def empty_counts(decision: Decision, y_pred: Any, who: str) -> Counts:
    """Zero counts.

    Args:
        decision: how scores become decisions.
        y_pred: scores, of which the last axis is looked at if classes are counted apart.
        who: how errors call the metric.

    Raises:
        ValueError: classes are to be counted apart, and there is no axis of classes.
    """
    shape: tuple[int, ...] = (len(decision.thresholds or (0.5,)),)
    if decision.per_class:
        if len(getattr(y_pred, "shape", ())) < 2:
            raise ValueError(
                f"{who} looks at each class by itself. `y_pred` is {short_type(y_pred)}, which has no axis of classes. "
                'Give it scores of shape `(batch, classes)`, or use `average="micro"`.'
            )
        shape += (y_pred.shape[-1],)
    return Counts(zero_sum(shape), zero_sum(shape), zero_sum(shape))


def add_to_counts(
    counts: Counts, y_true: Any, y_pred: Any, sample_weight: Any, *, decision: Decision, who: str
) -> Counts:
    """The counts with one more batch.

    Args:
        counts: the counts so far.
        y_true: yes/no labels of the shape of `y_pred`, or class numbers with one axis less.
        y_pred: scores, `(batch, *d)` or `(batch, *d, classes)`.
        sample_weight: None, `(batch,)`, or a shape that is a beginning of that of `y_pred`.
        decision: how scores become decisions.
        who: how errors call the metric.

    Raises:
        ValueError: the shapes do not fit, or there is no such class or number of classes.
    """
    require_classes(who, "top_k", decision.top_k, y_pred)
    require_classes(who, "class_id", decision.class_id, y_pred)
    truth = truth_of(y_true, y_pred, who)
    decided = decisions_of(y_true, y_pred, decision)
    weight = full_weight(sample_weight, truth, who)
    if decision.class_id is not None:
        truth, decided = truth[..., decision.class_id], decided[..., decision.class_id]
        weight = None if weight is None else weight[..., decision.class_id]
    axes = tuple(range(1, decided.ndim - 1 if decision.per_class else decided.ndim))

    return Counts(
        add_to_sum(counts.true_positives, weight_of(truth[None] & decided, weight, axes)),
        add_to_sum(counts.false_positives, weight_of(~truth[None] & decided, weight, axes)),
        add_to_sum(counts.false_negatives, weight_of(truth[None] & ~decided, weight, axes)),
    )


def weight_of(hits: jax.Array, weight: jax.Array | None, axes: tuple[int, ...]) -> jax.Array:
    """The sum of the weights where something was hit.

    Args:
        hits: booleans, `(thresholds, *d)`.
        weight: `(*d)`; None counts.
        axes: what is summed over.
    """
    weighted = hits.astype(jnp.float32) if weight is None else jnp.where(hits, weight[None], 0.0)
    return jnp.sum(weighted, axis=axes)


def merge_counts(a: Counts, b: Counts) -> Counts:
    """The counts of two sets of batches together."""
    return Counts(*(merge_sums(one, other) for one, other in zip(a, b, strict=True)))


def names_classes(y_true: Any, y_pred: Any) -> bool:
    """Whether labels are class numbers for a last axis of scores, rather than one yes/no for each score."""
    axes, several = len(y_pred.shape), len(y_pred.shape) > 1 and y_pred.shape[-1] > 1
    return several and (len(y_true.shape) == axes - 1 or (len(y_true.shape) == axes and y_true.shape[-1] == 1))


def truth_of(y_true: Any, y_pred: Any, who: str) -> jax.Array:
    """What the labels say for each score, as booleans."""
    if names_classes(y_true, y_pred):
        labels = class_labels(who, y_true, y_pred)
        return jax.nn.one_hot(labels.astype(jnp.int32), y_pred.shape[-1], dtype=jnp.bool_)
    require_same_shape(who, y_true, y_pred)
    return as_floating(y_true) > 0.5


def decisions_of(y_true: Any, y_pred: Any, decision: Decision) -> jax.Array:
    """For each threshold what the scores decide, `(thresholds, *shape of y_pred)`."""
    scores = as_floating(y_pred)
    thresholds, top_k = decision.thresholds, decision.top_k
    if thresholds is None:
        highest = top_k is None and names_classes(y_true, y_pred)
        top_k = 1 if highest else top_k
        thresholds = (0.5,) if top_k is None else (-math.inf,)
    levels = jnp.asarray(thresholds, scores.dtype).reshape((len(thresholds),) + (1,) * scores.ndim)
    above = scores[None] > levels
    if top_k is None:
        return above
    _, places = jax.lax.top_k(scores, top_k)
    chosen = jnp.any(jax.nn.one_hot(places, scores.shape[-1], dtype=jnp.bool_), axis=-2)
    return above & chosen[None]


def require_classes(who: str, argument: str, number: int | None, y_pred: Any) -> None:
    """Refuse a class, or a number of classes, that the last axis of the scores does not have.

    Args:
        who: how errors call the metric.
        argument: `class_id`, or an argument that says how many classes.
        number: what it was given; None asks for nothing.
        y_pred: scores, of which the shape counts.

    Raises:
        ValueError: there is no such class or number of classes.
    """
    classes = y_pred.shape[-1] if len(y_pred.shape) > 1 else 0
    if number is not None and number > classes - (argument == "class_id"):
        have = f"{classes} classes in its last axis" if classes else "no axis of classes"
        raise ValueError(
            f"{who} has `{argument}={number}`. `y_pred` is {short_type(y_pred)}, which has {have}. "
            "Choose a class that exists, or give it scores of shape `(batch, classes)`."
        )


def check_decided_labels(who: str, y_true: Any, y_pred: Any) -> None:
    """Refuse labels that are no classes, or not between 0 and 1, on the host.

    Args:
        who: how errors call the metric.
        y_true: labels as a NumPy array.
        y_pred: scores, of which the shape counts.

    Raises:
        ValueError: a label is out of range.
    """
    if names_classes(y_true, y_pred):
        check_labels(who, squeeze_labels(y_true, y_pred), y_pred.shape[-1])
    else:
        check_binary_labels(who, y_true)
