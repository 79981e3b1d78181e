"""Counting right and wrong decisions: what precision, recall and F1 are made of."""

import dataclasses
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._errors import short_type
from .._labels import class_labels, require_same_shape
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
    _refuse_missing_classes(decision, y_pred, who)
    truth = _truth(y_true, y_pred, who)
    decided = _decided(y_true, y_pred, decision)
    weight = full_weight(sample_weight, truth, who)
    if decision.class_id is not None:
        truth, decided = truth[..., decision.class_id], decided[..., decision.class_id]
        weight = None if weight is None else weight[..., decision.class_id]
    axes = tuple(range(1, decided.ndim - 1 if decision.per_class else decided.ndim))

    def count(hits: jax.Array) -> jax.Array:
        weighted = hits.astype(jnp.float32) if weight is None else jnp.where(hits, weight[None], 0.0)
        return jnp.sum(weighted, axis=axes)

    return Counts(
        add_to_sum(counts.true_positives, count(truth[None] & decided)),
        add_to_sum(counts.false_positives, count(~truth[None] & decided)),
        add_to_sum(counts.false_negatives, count(truth[None] & ~decided)),
    )


def merge_counts(a: Counts, b: Counts) -> Counts:
    """The counts of two sets of batches together."""
    return Counts(*(merge_sums(one, other) for one, other in zip(a, b, strict=True)))


def names_classes(y_true: Any, y_pred: Any) -> bool:
    """Whether labels are class numbers for a last axis of scores, rather than one yes/no for each score."""
    axes, several = len(y_pred.shape), len(y_pred.shape) > 1 and y_pred.shape[-1] > 1
    return several and (len(y_true.shape) == axes - 1 or (len(y_true.shape) == axes and y_true.shape[-1] == 1))


def _truth(y_true: Any, y_pred: Any, who: str) -> jax.Array:
    """What the labels say for each score, as booleans."""
    if names_classes(y_true, y_pred):
        labels = class_labels(who, y_true, y_pred)
        return jax.nn.one_hot(labels.astype(jnp.int32), y_pred.shape[-1], dtype=jnp.bool_)
    require_same_shape(who, y_true, y_pred)
    return as_floating(y_true) > 0.5


def _decided(y_true: Any, y_pred: Any, decision: Decision) -> jax.Array:
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


def _refuse_missing_classes(decision: Decision, y_pred: Any, who: str) -> None:
    asked = {"top_k": decision.top_k, "class_id": decision.class_id}
    for argument, number in asked.items():
        if number is None:
            continue
        classes = y_pred.shape[-1] if len(y_pred.shape) > 1 else 0
        if number > classes - (argument == "class_id"):
            have = f"{classes} classes in its last axis" if classes else "no axis of classes"
            raise ValueError(
                f"{who} has `{argument}={number}`. `y_pred` is {short_type(y_pred)}, which has {have}. "
                "Choose a class that exists, or give it scores of shape `(batch, classes)`."
            )
