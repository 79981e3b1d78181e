"""Means over samples that are exact over batches of any size: the state of most metrics."""

import abc
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .._labels import require_same_shape
from .._names import name_of
from .._reduce import aligned_weight, is_masked_pair
from .._sums import ExactSum, add_to_sum, merge_sums, quotient, sum_value, zero_sum
from ._metric import Metric

MeanState = ExactSum
"""The state of a weighted mean: `[sum(w * v), sum(w)]` in one exact sum of shape `(2,)`, which one addition updates."""


class AbstractMean(Metric, abc.ABC):
    """The four verbs of a metric that is a weighted mean; a subclass writes `values`."""

    @abc.abstractmethod
    def values(self, y_true: Any, y_pred: Any) -> Any:
        """What is averaged, the batch axis first: an array, or a pair `(values, mask)` of equal shapes."""

    def empty(self) -> MeanState:
        """The state before the first batch: a mean of nothing, which is 0."""
        return zero_sum((2,))

    def update(self, state: MeanState, y_true: Any, y_pred: Any, sample_weight: Any = None) -> MeanState:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: labels, `(batch, *d)`.
            y_pred: outputs, `(batch, *d)`, or what else the metric compares with its labels.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of the values.

        Raises:
            ValueError: the shapes or the weights do not fit.
        """
        return add_to_mean(state, self.values(y_true, y_pred), sample_weight, f"metric `{name_of(self)}`")

    def merge(self, a: MeanState, b: MeanState) -> MeanState:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: MeanState) -> jax.Array:
        """The mean so far, a float32 scalar; 0 if all weights were 0."""
        return mean_value(state)


def compared(metric: Metric, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Labels and outputs of one shape, for a function of both.

    Raises:
        ValueError: the shapes differ.
    """
    require_same_shape(f"metric `{name_of(metric)}`", y_true, y_pred)
    return y_true, y_pred


def add_to_mean(state: MeanState, values: Any, sample_weight: Any, who: str) -> MeanState:
    """The mean with one more batch in it.

    Args:
        state: the mean so far.
        values: what is averaged, the batch axis first; a pair `(values, mask)` leaves out where the mask is 0.
        sample_weight: None, `(batch,)`, or any shape that is a beginning of the values' shape.
        who: how errors call the metric.

    Raises:
        ValueError: the weights do not fit the values.
    """
    return add_to_sum(state, jnp.stack(weighted_sum(values, sample_weight, who)))


def mean_value(state: MeanState) -> jax.Array:
    """The mean so far, a float32 scalar; 0 if all weights were 0."""
    total, weight = sum_value(state)
    return quotient(total, weight)


def weighted_sum(values: Any, sample_weight: Any, who: str) -> tuple[jax.Array, jax.Array]:
    """`(sum(w * v), sum(w))` as float32, with `w` broadcast to the values; a value of weight 0 may be NaN.

    A scalar belongs to no sample and takes no weight. The mask of a pair `(values, mask)` multiplies the weights.
    """
    values, mask = values if is_masked_pair(values) else (values, None)
    values = as_floating(values).astype(jnp.float32)
    weight = full_weight(sample_weight, values, who)
    if mask is not None:
        mask = as_floating(mask).astype(jnp.float32)
        weight = mask if weight is None else weight * mask
    if weight is None:
        return jnp.sum(values), jnp.float32(values.size)
    return jnp.sum(jnp.where(weight == 0, 0.0, weight * values)), jnp.sum(weight)


def full_weight(sample_weight: Any, values: jax.Array, who: str) -> jax.Array | None:
    """One float32 weight for each value, or None if there are no weights."""
    if sample_weight is None or values.ndim == 0:
        return None
    weight = sample_weight if isinstance(sample_weight, Mapping) else as_floating(sample_weight)
    return jnp.broadcast_to(aligned_weight(weight, values, (0,), who).astype(jnp.float32), values.shape)


def as_floating(values: Any) -> jax.Array:
    """Integers, booleans and lower precisions as float32; wider floats stay."""
    values = jnp.asarray(values)
    is_wide = jnp.issubdtype(values.dtype, jnp.floating) and values.dtype.itemsize >= 4
    return values if is_wide else values.astype(jnp.float32)
