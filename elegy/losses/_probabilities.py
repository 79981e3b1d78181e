"""Probabilities that a logarithm can be taken of, and class scores as log-probabilities."""

import jax
import jax.numpy as jnp

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and from 1, as Keras does."""


def clipped(probabilities: jax.Array) -> jax.Array:
    """Probabilities at least `EPSILON` away from 0 and from 1, so that no logarithm of them is infinite.

    Args:
        probabilities: any shape, float32 or wider.

    Example:
        >>> bool(jnp.isfinite(jnp.log(clipped(jnp.array([0.0, 1.0])))).all())
        True
    """
    return jnp.clip(probabilities, EPSILON, 1.0 - EPSILON)


def total_probability(scores: jax.Array) -> jax.Array:
    """What scores are divided by so that they sum to 1 over the last axis, which is kept with length 1.

    All-zero scores are divided by 1, not by 0.

    Args:
        scores: non-negative, `(*d, classes)`.

    Example:
        >>> total_probability(jnp.array([[2.0, 2.0], [0.0, 0.0]]))
        Array([[4.],
               [1.]], dtype=float32)
    """
    total = jnp.sum(scores, axis=-1, keepdims=True)
    return jnp.where(total == 0, 1.0, total)


def smoothed(labels: jax.Array, smoothing: float, classes: int) -> jax.Array:
    """Labels of which a share is spread evenly over the classes: `labels * (1 - smoothing) + smoothing / classes`.

    Args:
        labels: any shape, float32 or wider.
        smoothing: the share, in [0, 1).
        classes: how many there are; 2 for yes/no labels.

    Example:
        >>> smoothed(jnp.array([0.0, 1.0]), 0.5, 2)
        Array([0.25, 0.75], dtype=float32)
    """
    return labels * (1.0 - smoothing) + smoothing / classes if smoothing else labels


def yes_no_crossentropy(labels: jax.Array, probabilities: jax.Array) -> jax.Array:
    """`-labels * log(p) - (1 - labels) * log(1 - p)` of each element.

    Args:
        labels: 0 to 1, any shape, float32 or wider.
        probabilities: `p`, same shape and dtype, neither 0 nor 1.

    Example:
        >>> yes_no_crossentropy(jnp.array([1.0, 0.0]), jnp.array([0.5, 0.5]))
        Array([0.6931472, 0.6931472], dtype=float32)
    """
    return -(labels * jnp.log(probabilities) + (1.0 - labels) * jnp.log(1.0 - probabilities))
