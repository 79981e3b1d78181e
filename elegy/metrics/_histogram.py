"""Scores of yes and of no, counted between thresholds: what areas under curves are made of."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._sums import ExactSum, add_to_sum, sum_value, zero_sum

Histogram = ExactSum
"""Sums of weights, `(2, thresholds + 1)` or `(2, thresholds + 1, labels)`: first where the label says no, then yes."""


class Cells(NamedTuple):
    """The sums of the weights of decisions, `(thresholds,)` or `(thresholds, labels)`; a score above one means yes."""

    true_positives: jax.Array
    false_positives: jax.Array
    true_negatives: jax.Array
    false_negatives: jax.Array


def evenly_spaced(number: int) -> tuple[float, ...]:
    """Thresholds from 0 to 1.

    Example:
        >>> evenly_spaced(3)
        (0.0, 0.5, 1.0)
    """
    return tuple(float(level) for level in np.linspace(0, 1, number))


def empty_histogram(thresholds: tuple[float, ...], labels: int | None = None) -> Histogram:
    """Zero counts.

    Args:
        thresholds: ascending.
        labels: how many outputs are counted apart; None counts all together.
    """
    return zero_sum((2, len(thresholds) + 1, *(() if labels is None else (labels,))))


def add_to_histogram(
    histogram: Histogram, truth: jax.Array, scores: jax.Array, weight: jax.Array | None, thresholds: tuple[float, ...]
) -> Histogram:
    """The counts with one more batch: one scattered addition, whose cost does not grow with the thresholds.

    Args:
        histogram: the counts so far.
        truth: what the labels say, booleans, `(batch, *d)`; the last axis is that of the labels counted apart.
        scores: probabilities, same shape; what lies outside of 0 to 1 counts as 0 or 1, and NaN as 0.
        weight: same shape; None counts.
        thresholds: ascending.
    """
    places = (truth.astype(jnp.int32), _places(jnp.clip(jnp.nan_to_num(scores), 0.0, 1.0), thresholds))
    shape = histogram.value.shape
    if len(shape) == 3:
        places = (*places, jax.lax.broadcasted_iota(jnp.int32, scores.shape, scores.ndim - 1))
    weight = jnp.ones(scores.shape, jnp.float32) if weight is None else weight
    return add_to_sum(histogram, jnp.zeros(shape, jnp.float32).at[places].add(weight))


def cells(histogram: Histogram) -> Cells:
    """For each threshold the sums of right and wrong decisions, each from sums of one sign, so that nothing cancels."""
    counts = sum_value(histogram)
    below = jnp.cumsum(counts, axis=1)[:, :-1]
    above = jnp.flip(jnp.cumsum(jnp.flip(counts, axis=1), axis=1), axis=1)[:, 1:]
    return Cells(above[1], above[0], below[0], below[1])


def _places(scores: jax.Array, thresholds: tuple[float, ...]) -> jax.Array:
    """How many thresholds are below each score."""
    exact = jnp.asarray(thresholds, scores.dtype)
    number = len(thresholds)
    if number < 2 or not np.allclose(thresholds, evenly_spaced(number), rtol=0, atol=1e-6):
        return jnp.searchsorted(exact, scores, side="left").astype(jnp.int32)
    # Rounding puts a guess at most one place off: a look at both neighbours mends it, in a tenth of a search's time.
    guess = jnp.ceil(scores * (number - 1)).astype(jnp.int32)
    inf = jnp.full((1,), jnp.inf, scores.dtype)
    padded = jnp.concatenate([-inf, exact, inf])
    return guess - (scores <= padded[guess]).astype(jnp.int32) + (scores > padded[guess + 1]).astype(jnp.int32)
