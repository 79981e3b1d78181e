"""Pooling over small windows as work on whole shifted arrays."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import JaxprEqn

from ._pass import Uses, inputs_of, output_of
from ._windows import places_in, shifted

_FEW = 4  # places in a window; sums of so few are quick
_MOST = 32  # places in a window; more would be much to compile

_REDUCERS = {"reduce_window_max": lax.max, "reduce_window_min": lax.min, "reduce_window_sum": lax.add}


def pooling(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The largest, smallest or sum of each window: of as many shifted inputs as a window has places.

    XLA's code on CPU goes through each window by itself, which is as quick only where windows do not overlap.
    """
    del uses
    if eqn.primitive.name not in _REDUCERS or not has_small_windows(eqn):
        return None
    window, strides = eqn.params["window_dimensions"], eqn.params["window_strides"]
    reducer, out = _REDUCERS[eqn.primitive.name], output_of(eqn)
    overlaps = any(size > step for size, step in zip(window, strides, strict=True))
    if set(eqn.params["base_dilation"]) != {1} or not (overlaps or window[-1] > 1):
        return None
    if reducer is lax.add and math.prod(window) <= _FEW:
        return None

    def pool(x: jax.Array) -> jax.Array:
        if reducer is lax.add and out.dtype.itemsize < 4:
            x = lax.convert_element_type(x, "float32")
        x = lax.pad(x, _neutral(reducer, x.dtype), [(low, high, 0) for low, high in eqn.params["padding"]])
        dilation = eqn.params["window_dilation"]
        parts = [shifted(x, place, dilation, out.shape, strides) for place in places_in(window)]
        return lax.convert_element_type(functools.reduce(reducer, parts), out.dtype)

    return pool


def has_small_windows(eqn: JaxprEqn) -> bool:
    """Whether windows over numbers are small enough to look at one place after the other."""
    avals = [*inputs_of(eqn), output_of(eqn)]
    are_numbers = all(jnp.issubdtype(aval.dtype, jnp.floating) and 0 not in aval.shape for aval in avals)
    return are_numbers and math.prod(eqn.params["window_dimensions"]) <= _MOST


def _neutral(reducer: Any, dtype: Any) -> jax.Array:
    """What changes no result: padding."""
    neutral = {lax.add: 0.0, lax.max: -math.inf, lax.min: math.inf}[reducer]
    return lax.full((), neutral, dtype)
