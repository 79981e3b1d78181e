"""The linear correlation between predictions and targets."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from .._labels import require_same_shape
from .._names import name_of
from .._sums import quotient, sum_value
from ._means import as_floating, full_weight
from ._metric import Metric
from ._moments import Moments, columns_of, merge_moments, moments_of, no_moments, spread


class PearsonCorrelation(Metric):
    """How well predictions rise and fall with their targets, whatever their scale: -1 to 1.

    For each output the covariance of `y_true` and `y_pred` over all rows of the pass, divided by both standard
    deviations; then the mean over the outputs. 0 where targets or predictions are all equal.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `pearson_correlation` by default.

    Example:
        >>> y_true, y_pred = jnp.array([1.0, 2.0, 3.0, 4.0]), jnp.array([10.0, 30.0, 20.0, 40.0])
        >>> round(float(PearsonCorrelation()(y_true=y_true, y_pred=y_pred)), 4)
        0.8
    """

    better = "higher"

    def empty(self, y_true: Any) -> Moments:
        """The state before the first batch.

        Args:
            y_true: targets `(batch, *d)` or their abstract form, which tell how many outputs there are.
        """
        return no_moments(2, math.prod(y_true.shape[1:]))

    def update(self, state: Moments, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Moments:
        """The state after one more batch.

        Args:
            state: the state before.
            y_true: targets, `(batch, *d)`; every place of `d` is an output.
            y_pred: predictions, same shape.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_true`.

        Raises:
            ValueError: the shapes differ.
        """
        who = f"metric `{name_of(self)}`"
        require_same_shape(who, y_true, y_pred)
        values = jnp.stack([columns_of(as_floating(y_true)), columns_of(as_floating(y_pred))])
        weight = full_weight(sample_weight, y_true, who)
        weight = jnp.ones_like(values[0]) if weight is None else columns_of(weight)
        return merge_moments(state, moments_of(values, weight))

    def merge(self, a: Moments, b: Moments) -> Moments:
        """The state of two sets of batches together."""
        return merge_moments(a, b)

    def compute(self, state: Moments) -> jax.Array:
        """The correlation so far, a float32 scalar; 0 if all weights were 0."""
        deviations = jnp.sqrt(spread(state))
        both = deviations[0] * deviations[1]
        together = jnp.where(both == 0, 0.0, sum_value(state.products)[0, 1])
        return jnp.mean(jnp.clip(quotient(together, both), -1.0, 1.0))
