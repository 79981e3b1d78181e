"""Arrays that hold every second, third, ... value of another, put together again."""

from collections.abc import Sequence

import jax
from jax import lax


def interleave(parts: Sequence[jax.Array], axes: Sequence[int], steps: Sequence[int]) -> jax.Array:
    """One array of which `parts` hold every `step`-th value along some axes.

    Args:
        parts: arrays of one shape, by the place of their first value, the last axis fastest.
        axes: the axes along which they take turns.
        steps: how many take turns along each.

    Returns:
        An array that is `step` times as long along each of the axes.

    Example:
        >>> import jax.numpy as jnp
        >>> interleave([jnp.array([0, 2, 4]), jnp.array([1, 3, 5])], axes=[0], steps=[2]).tolist()
        [0, 1, 2, 3, 4, 5]
    """
    if not axes:
        return parts[0]
    size = len(parts) // steps[0]
    rows = [interleave(parts[start : start + size], axes[1:], steps[1:]) for start in range(0, len(parts), size)]
    if len(rows) == 1:
        return rows[0]
    axis, shape = axes[0], rows[0].shape
    stacked = lax.concatenate([lax.expand_dims(row, [axis + 1]) for row in rows], axis + 1)
    return lax.reshape(stacked, (*shape[:axis], shape[axis] * len(rows), *shape[axis + 1 :]))
