"""Mean and sum of what a module returns, or of whatever `bind` points them at."""

from typing import Any

import jax

from .._names import name_of
from .._sums import ExactSum, add_to_sum, merge_sums, sum_value, zero_sum
from ._means import AbstractMean, MeanState, add_to_mean, weighted_sum
from ._metric import Metric


class Mean(AbstractMean):
    """The weighted mean of an output; follows any number that a module returns.

    `sum(w * y_pred) / sum(w)` over all elements. `elegy.bind(Mean(), y_pred="x")` averages something else.

    Args:
        on: which part of `y_pred` this metric sees.
        name: how logs call it; `mean` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Mean()(jnp.array([1.0, 3.0]), sample_weight=jnp.array([3.0, 1.0])))
        1.5
    """

    def update(self, state: MeanState, y_pred: Any, sample_weight: Any = None) -> MeanState:
        """The state after one more batch.

        Args:
            state: the state before.
            y_pred: values, `(batch, *d)`; a scalar counts as one value and takes no weight.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.
        """
        return add_to_mean(state, y_pred, sample_weight, f"metric `{name_of(self)}`")


class Sum(Metric):
    """The weighted sum of an output over the whole pass.

    `sum(w * y_pred)` over all elements. `elegy.bind(Sum(), y_pred="x")` adds up something else.

    Args:
        on: which part of `y_pred` this metric sees.
        name: how logs call it; `sum` by default.

    Example:
        >>> import jax.numpy as jnp
        >>> total = Sum()
        >>> float(total(jnp.array([1.0, 3.0]))), float(total(jnp.array([2.0])))
        (4.0, 6.0)
    """

    def empty(self) -> ExactSum:
        """The state before the first batch."""
        return zero_sum()

    def update(self, state: ExactSum, y_pred: Any, sample_weight: Any = None) -> ExactSum:
        """The state after one more batch.

        Args:
            state: the state before.
            y_pred: values, `(batch, *d)`; a scalar takes no weight.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.
        """
        total, _ = weighted_sum(y_pred, sample_weight, f"metric `{name_of(self)}`")
        return add_to_sum(state, total)

    def merge(self, a: ExactSum, b: ExactSum) -> ExactSum:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: ExactSum) -> jax.Array:
        """The sum so far, a float32 scalar."""
        return sum_value(state)
