"""Pooling over small windows, and its gradient, as work on whole shifted arrays."""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.xla_metadata import set_xla_metadata
from jax.extend.core import JaxprEqn

from ._interleave import interleave
from ._pass import Uses

_FEW = 4  # places in a window; sums of so few are quick
_MOST = 32  # places in a window; more would be much to compile

_REDUCERS = {"reduce_window_max": lax.max, "reduce_window_min": lax.min, "reduce_window_sum": lax.add}


def pooling(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The largest, smallest or sum of each window: of as many shifted inputs as a window has places.

    XLA's code on CPU goes through each window by itself.
    """
    del uses
    if eqn.primitive.name not in _REDUCERS or not _is_small(eqn):
        return None
    window, reducer, aval = eqn.params["window_dimensions"], _REDUCERS[eqn.primitive.name], eqn.outvars[0].aval
    overlaps = any(w > step for w, step in zip(window, eqn.params["window_strides"], strict=True))
    if set(eqn.params["base_dilation"]) != {1} or not (overlaps or window[-1] > 1):
        return None
    if reducer is lax.add and math.prod(window) <= _FEW:
        return None

    def pool(x: jax.Array) -> jax.Array:
        if reducer is lax.add:
            x = lax.convert_element_type(x, jnp.promote_types(x.dtype, "float32"))
        x = lax.pad(x, _neutral(reducer, x.dtype), [(low, high, 0) for low, high in eqn.params["padding"]])
        parts = [part for _, part in _shifts(x, eqn, aval.shape, eqn.params["window_dilation"])]
        return functools.reduce(reducer, parts).astype(aval.dtype)

    return pool


def pooling_gradients(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The gradient of the largest of each window goes to its first place: found for all windows at once.

    XLA's code on CPU goes through each window by itself and writes to one place after the other.
    """
    del uses
    if eqn.primitive.name != "select_and_scatter_add" or not _is_small(eqn):
        return None
    padding, steps = eqn.params["padding"], eqn.params["window_strides"]
    given = eqn.invars[1].aval.shape
    whole = [low + size + high for size, (low, high) in zip(given, padding, strict=True)]

    def scatter(source: jax.Array, operand: jax.Array) -> jax.Array:
        with set_xla_metadata(inlineable="false"):  # else XLA finds the winners anew for each place of the windows
            winner = jax.jit(lambda x: _winners(x, source.shape, eqn))(operand)
        places = itertools.product(*map(range, steps))
        sizes = [-(-size // step) for size, step in zip(whole, steps, strict=True)]
        phases = [_phase(source, winner, eqn, place, sizes) for place in places]
        axes = [axis for axis, step in enumerate(steps) if step > 1]
        out = interleave(phases, axes, [steps[axis] for axis in axes])
        starts = [low for low, _ in padding]
        return lax.slice(out, starts, [low + size for low, size in zip(starts, given, strict=True)])

    return scatter


def _winners(operand: jax.Array, shape: Sequence[int], eqn: JaxprEqn) -> jax.Array:
    """By window the number of its place that is selected, compared in XLA's order; padding is never selected."""
    padding = [(low, high, 0) for low, high in eqn.params["padding"]]
    is_padded = any(low or high for low, high, _ in padding)
    x = lax.pad(operand, lax.full((), 0, operand.dtype), padding)
    inside = lax.pad(lax.full(operand.shape, True), lax.full((), False), padding)
    ones = (1,) * operand.ndim
    best = winner = seen = None
    for (number, value), (_, real) in zip(_shifts(x, eqn, shape, ones), _shifts(inside, eqn, shape, ones), strict=True):
        if best is None or winner is None or seen is None:
            best, winner, seen = value, lax.full(shape, number, "int32"), real
            continue
        keeps = eqn.params["select_prim"].bind(best, value)
        if is_padded:
            keeps = lax.bitwise_or(lax.bitwise_not(real), lax.bitwise_and(seen, keeps))
            seen = lax.bitwise_or(seen, real)
        best = lax.select(keeps, best, value)
        winner = lax.select(keeps, winner, lax.full(shape, number, "int32"))
    return winner


def _phase(
    source: jax.Array, winner: jax.Array, eqn: JaxprEqn, place: Sequence[int], sizes: Sequence[int]
) -> jax.Array:
    """What the inputs at `place` and every `stride` after it get: from each window they are in, if they won there."""
    window, steps = eqn.params["window_dimensions"], eqn.params["window_strides"]
    total = lax.full(sizes, 0, source.dtype)
    zeros = lax.full(source.shape, 0, source.dtype)
    for ago in itertools.product(*(range(-(-(w - at) // step)) for w, at, step in zip(window, place, steps, strict=True))):
        number = 0
        for w, at, step, back in zip(window, place, steps, ago, strict=True):
            number = number * w + at + step * back
        got = lax.select(lax.eq(winner, lax.full(winner.shape, number, "int32")), source, zeros)
        edges = [(back, size - count - back, 0) for back, size, count in zip(ago, sizes, source.shape, strict=True)]
        total = lax.add(total, lax.pad(got, lax.full((), 0, got.dtype), edges))
    return total


def _shifts(
    x: jax.Array, eqn: JaxprEqn, shape: Sequence[int], dilation: Sequence[int]
) -> Iterator[tuple[int, jax.Array]]:
    """By the number of a window's place what all windows have there."""
    strides = eqn.params["window_strides"]
    for number, place in enumerate(itertools.product(*map(range, eqn.params["window_dimensions"]))):
        starts = [at * step for at, step in zip(place, dilation, strict=True)]
        ends = [at + (size - 1) * stride + 1 for at, size, stride in zip(starts, shape, strides, strict=True)]
        yield number, lax.slice(x, starts, ends, strides)


def _is_small(eqn: JaxprEqn) -> bool:
    avals = [atom.aval for atom in (*eqn.invars, *eqn.outvars)]
    is_number = all(jnp.issubdtype(aval.dtype, jnp.floating) or jnp.issubdtype(aval.dtype, jnp.integer) for aval in avals)
    return is_number and all(0 not in aval.shape for aval in avals) and math.prod(eqn.params["window_dimensions"]) <= _MOST


def _neutral(reducer: Any, dtype: Any) -> jax.Array:
    """What changes no result: padding."""
    if reducer is lax.add:
        return lax.full((), 0, dtype)
    sign = -1 if reducer is lax.max else 1
    if jnp.issubdtype(dtype, jnp.floating):
        return lax.full((), sign * float("inf"), dtype)
    limits = jnp.iinfo(dtype)
    return lax.full((), limits.min if sign < 0 else limits.max, dtype)
