"""The weighted harmonic mean of precision and recall."""

import jax

from .._names import name_of
from .._on import On
from .._sums import quotient
from ..losses._options import require_at_least_zero
from ._precision_recall import AbstractDecisionMetric, Average


class FBetaScore(AbstractDecisionMetric):
    """The harmonic mean of precision and recall, in which recall counts `beta` times as much.

    `(1 + beta²) * true positives / ((1 + beta²) * true positives + beta² * false negatives + false positives)`, each
    the sum of its weights; 0/0 is 0. Averages over classes are those of the classes' scores. Labels are one-hot, or
    class numbers; with a threshold, also several yes/no labels.

    Args:
        average: None gives a vector with one score for each class, "macro" its mean, "weighted" its mean weighted by
            how often a class is the label; "micro" counts all classes together.
        beta: 0 or more; below 1 precision counts more, above 1 recall does.
        threshold: a score above it means yes; None: the highest score of a sample does.
        on: which part of `y_true` and `y_pred` this metric sees.
        name: how logs call it; `fbeta_score` by default.

    Raises:
        ValueError: an unknown average, or `beta` below 0.

    Example:
        >>> import jax.numpy as jnp
        >>> scores = jnp.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]])
        >>> FBetaScore(beta=2.0)(y_true=jnp.array([0, 1, 1]), y_pred=scores)
        Array([0.8333333, 0.5555556], dtype=float32)
    """

    def __init__(
        self,
        average: Average = None,
        beta: float = 1.0,
        threshold: float | None = None,
        on: On = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(on, threshold=threshold, top_k=1 if threshold is None else None, average=average, name=name)
        self.beta = require_at_least_zero(f"metric `{name_of(self)}`", "beta", beta)

    def score(self, true_positives: jax.Array, false_positives: jax.Array, false_negatives: jax.Array) -> jax.Array:
        """The weighted harmonic mean of precision and recall."""
        square = self.beta**2
        found = (1 + square) * true_positives
        return quotient(found, found + square * false_negatives + false_positives)
