"""Sequences and their masks: which steps are there, and who may look at whom."""

from typing import Any

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..module import Module
from ._requirements import one_array, real_array, require_rank, who


def sequences_of(layer: Module, x: Any) -> jax.Array:
    """The input as sequences of vectors, `(batch, time, features)`.

    Raises:
        TypeError: it is not one array of real numbers.
        ValueError: it has other axes, or no features.
    """
    x = real_array(layer, x)
    require_rank(layer, x, 3, "three axes, (batch, time, features)", most=3)
    if x.shape[-1] == 0:
        raise ValueError(
            f"{who(layer)} was called with {short_type(x)}. Its last axis, the features, is empty. "
            "Give sequences with at least one feature."
        )
    return x


def step_mask(layer: Module, mask: Any, sequences: jax.Array) -> jax.Array:
    """A mask of the steps of sequences, `(batch, time)`, True where there is one.

    Raises:
        TypeError: it is not boolean.
        ValueError: it has another shape.
    """
    mask = _boolean(layer, mask)
    if mask.shape != sequences.shape[:2]:
        raise ValueError(
            f"{who(layer)} was given a mask {short_type(mask)} for {short_type(sequences)}. A mask says for each step "
            f"of each sequence whether it is there, so its shape is {sequences.shape[:2]}. Give such a mask."
        )
    return mask


def attention_mask(layer: Module, mask: Any, shape: tuple[int, int, int, int]) -> jax.Array:
    """A mask of attention with four axes, which broadcasts to `shape`; True where a query sees a key.

    Args:
        layer: whose it is.
        mask: `(batch, heads, queries, keys)`, or without heads, or `(batch, keys)`; each axis may be 1.
        shape: batch, heads, queries and keys.

    Raises:
        TypeError: it is not boolean.
        ValueError: it has another shape.
    """
    mask = _boolean(layer, mask)
    batch, _, queries, keys = shape
    between = {2: (1, 2), 3: (1,), 4: ()}.get(mask.ndim)
    spread = mask if between is None else jnp.expand_dims(mask, between)
    if between is None or any(size not in (1, wanted) for size, wanted in zip(spread.shape, shape, strict=True)):
        raise ValueError(
            f"{who(layer)} was given a mask {short_type(mask)}. It takes {shape} (batch, heads, queries, keys), "
            f"{(batch, queries, keys)}, or {(batch, keys)}, where each axis may be 1. Reshape the mask; "
            "one of queries and keys only is `mask[None]`."
        )
    return spread


def _boolean(layer: Module, mask: Any) -> jax.Array:
    mask = one_array(layer, mask)
    if mask.dtype != jnp.bool_:
        raise TypeError(
            f"{who(layer)} was given a mask {short_type(mask)}. A mask is boolean, True for what counts. "
            "Write the condition, for example `mask != 0`."
        )
    return mask
