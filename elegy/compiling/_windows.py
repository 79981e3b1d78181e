"""Windows that slide over an array, as shifted parts of the whole array: one part for each place in the window."""

import itertools
from collections.abc import Iterator, Sequence

import jax
from jax import lax


def places_in(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All places in a window, the last axis fastest."""
    return itertools.product(*map(range, sizes))


def shifted(
    x: jax.Array, place: Sequence[int], dilation: Sequence[int], shape: Sequence[int], strides: Sequence[int]
) -> jax.Array:
    """What all windows have at one place.

    Args:
        x: the array under the windows.
        place: the place in the window, by axis of `x`.
        dilation: how far the places of a window are apart.
        shape: how many windows there are.
        strides: how far the windows are apart.

    Returns:
        An array of `shape`.

    Example:
        >>> import jax.numpy as jnp
        >>> shifted(jnp.arange(7), place=[1], dilation=[1], shape=[3], strides=[2]).tolist()
        [1, 3, 5]
    """
    starts = [at * step for at, step in zip(place, dilation, strict=True)]
    ends = [start + (size - 1) * stride + 1 for start, size, stride in zip(starts, shape, strides, strict=True)]
    return lax.slice(x, starts, ends, strides)
