"""Mean, sum and other reductions of what a module returns, or of whatever `bind` points them at."""

from typing import Any

import jax
import jax.numpy as jnp

from .._names import name_of
from .._on import On
from .._reduce import Reduction, as_reduction
from .._sums import ExactSum, add_to_sum, merge_sums, quotient, sum_value, zero_sum
from ._means import MeanState, add_to_mean, mean_value, weighted_sum
from ._metric import Metric


class Mean(Metric):
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

    def empty(self) -> MeanState:
        """The state before the first batch: a mean of nothing, which is 0."""
        return zero_sum((2,))

    def update(self, state: MeanState, y_pred: Any, sample_weight: Any = None) -> MeanState:
        """The state after one more batch.

        Args:
            state: the state before.
            y_pred: values, `(batch, *d)`; a scalar counts as one value and takes no weight.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.
        """
        return add_to_mean(state, y_pred, sample_weight, f"metric `{name_of(self)}`")

    def merge(self, a: MeanState, b: MeanState) -> MeanState:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: MeanState) -> jax.Array:
        """The mean so far, a float32 scalar; 0 if all weights were 0."""
        return mean_value(state)


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


class Reduce(Metric):
    """An output reduced over the whole pass in one of three ways.

    With `v` the values of `y_pred` and `w` the sample weights: `sum` is `sum(w * v)`; `sum_over_batch_size` is that
    divided by the number of values, and `mean_with_sample_weight` that divided by the sum of the weights.

    Args:
        reduction: a `Reduction` or its string; all but `none`.
        on: which part of `y_pred` this metric sees.
        name: how logs call it; `reduce` by default.

    Raises:
        ValueError: no such reduction.

    Example:
        >>> reduce = Reduce("sum_over_batch_size")
        >>> float(reduce(jnp.array([1.0, 3.0]), sample_weight=jnp.array([1.0, 0.0])))
        0.5
    """

    def __init__(self, reduction: Reduction | str, on: On = None, *, name: str | None = None) -> None:
        super().__init__(on, name=name)
        self.reduction = as_reduction(reduction)
        if self.reduction is Reduction.NONE:
            raise ValueError(
                f"The metric `{name_of(self)}` was given `reduction='none'`. A metric is one number of a pass. "
                "Use `sum`, `sum_over_batch_size` or `mean_with_sample_weight`."
            )

    def empty(self) -> ExactSum:
        """The state before the first batch: `[sum(w * v), sum(w), number of values]`, all zero."""
        return zero_sum((3,))

    def update(self, state: ExactSum, y_pred: Any, sample_weight: Any = None) -> ExactSum:
        """The state after one more batch.

        Args:
            state: the state before.
            y_pred: values, `(batch, *d)`; a scalar counts as one value and takes no weight.
            sample_weight: `(batch,)`, or a shape that is a beginning of that of `y_pred`.
        """
        total, weight = weighted_sum(y_pred, sample_weight, f"metric `{name_of(self)}`")
        return add_to_sum(state, jnp.stack([total, weight, jnp.float32(y_pred.size)]))

    def merge(self, a: ExactSum, b: ExactSum) -> ExactSum:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: ExactSum) -> jax.Array:
        """The reduced value so far, a float32 scalar; 0/0 is 0."""
        total, weight, count = sum_value(state)
        if self.reduction is Reduction.SUM:
            return total
        return quotient(total, weight if self.reduction is Reduction.MEAN_WITH_SAMPLE_WEIGHT else count)
