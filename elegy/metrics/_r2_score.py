"""The share of the targets' variance that predictions explain."""

import math
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from .._labels import require_same_shape
from .._names import name_of
from .._on import On
from .._sums import ExactSum, add_to_sum, merge_sums, quotient, sum_value, zero_sum
from ._means import as_floating, full_weight
from ._metric import Metric
from ._moments import Moments, columns_of, merge_moments, moments_of, no_moments, spread
from ._options import one_of, whole_number


class R2State(NamedTuple):
    """The state of `R2Score`.

    Attributes:
        targets: the moments of the targets.
        residuals: the sums of squared distances, `(outputs,)`.
        rows: how many rows have a weight, a scalar.
    """

    targets: Moments
    residuals: ExactSum
    rows: ExactSum


class R2Score(Metric):
    """The share of the targets' variance that predictions explain: 1 at best, 0 for always predicting the mean.

    For each output `1 - sum(w * (y_true - y_pred)²) / sum(w * (y_true - mean)²)`, with the weighted mean of all targets
    of the pass. Where all targets are equal it is 1 if the predictions are right, else 0, as scikit-learn has it.

    Args:
        class_aggregation: "uniform_average" is the mean over the outputs, "variance_weighted_average" the mean weighted
            by the targets' variances; None gives a vector with one score for each output.
        num_regressors: how many inputs the predictions use; above 0 gives the adjusted score
            `1 - (1 - R2) * (n - 1) / (n - num_regressors - 1)` for n rows, where n is large enough.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `r2_score` by default.

    Raises:
        ValueError: an unknown aggregation, or `num_regressors` below 0.

    Example:
        >>> y_true, y_pred = jnp.array([[1.0], [4.0], [3.0]]), jnp.array([[2.0], [4.0], [4.0]])
        >>> round(float(R2Score()(y_true=y_true, y_pred=y_pred)), 4)
        0.5714
    """

    better = "higher"

    def __init__(
        self,
        class_aggregation: Literal["uniform_average", "variance_weighted_average"] | None = "uniform_average",
        num_regressors: int = 0,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(on, name=name)
        choices = (None, "uniform_average", "variance_weighted_average")
        self.class_aggregation = one_of(name_of(self), "class_aggregation", class_aggregation, choices)
        self.num_regressors = whole_number(name_of(self), "num_regressors", num_regressors, least=0)

    def empty(self, y_true: Any) -> R2State:
        """The state before the first batch.

        Args:
            y_true: targets `(batch, *d)` or their abstract form, which tell how many outputs there are.
        """
        outputs = math.prod(y_true.shape[1:])
        return R2State(no_moments(1, outputs), zero_sum((outputs,)), zero_sum())

    def update(self, state: R2State, y_true: Any, y_pred: Any, sample_weight: Any = None) -> R2State:
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
        targets, predictions = columns_of(as_floating(y_true)), columns_of(as_floating(y_pred))
        weight = full_weight(sample_weight, y_true, who)
        weight = jnp.ones_like(targets) if weight is None else columns_of(weight)
        squares = jnp.where(weight == 0, 0.0, weight * jnp.square(targets - predictions))
        rows = jnp.sum(jnp.any(weight != 0, axis=1).astype(jnp.float32))
        return R2State(
            merge_moments(state.targets, moments_of(targets[None], weight)),
            add_to_sum(state.residuals, jnp.sum(squares, axis=0)),
            add_to_sum(state.rows, rows),
        )

    def merge(self, a: R2State, b: R2State) -> R2State:
        """The state of two sets of batches together."""
        return R2State(
            merge_moments(a.targets, b.targets), merge_sums(a.residuals, b.residuals), merge_sums(a.rows, b.rows)
        )

    def compute(self, state: R2State) -> jax.Array:
        """The score so far: a scalar, or one for each output; 0 if all weights were 0."""
        total, residual = spread(state.targets)[0], sum_value(state.residuals)
        constant = jnp.where((residual == 0) & (sum_value(state.targets.weight) > 0), 1.0, 0.0)
        scores = jnp.where(total == 0, constant, 1 - quotient(residual, jnp.where(total == 0, 1.0, total)))
        if self.class_aggregation == "uniform_average":
            scores = jnp.mean(scores)
        elif self.class_aggregation is not None:
            scores = jnp.where(jnp.sum(total) == 0, jnp.mean(scores), quotient(jnp.sum(total * scores), jnp.sum(total)))
        return self._adjusted(scores, sum_value(state.rows)) if self.num_regressors else scores

    def _adjusted(self, scores: jax.Array, rows: jax.Array) -> jax.Array:
        left = rows - self.num_regressors - 1
        return jnp.where(left > 0, 1 - (1 - scores) * (rows - 1) / jnp.where(left > 0, left, 1.0), scores)
