"""The gradient of max pooling as work on whole arrays."""

import math
from collections.abc import Callable, Sequence

import jax
from jax import lax
from jax.experimental.xla_metadata import set_xla_metadata
from jax.extend.core import JaxprEqn

from ._interleave import interleave
from ._pass import Uses, inputs_of
from ._pooling import has_small_windows
from ._windows import places_in, shifted


def pooling_gradients(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """Each window's gradient goes to the place that was selected there: found for all windows at once.

    XLA's code on CPU goes through each window by itself and writes to one place after the other.
    """
    del uses
    if eqn.primitive.name != "select_and_scatter_add" or not has_small_windows(eqn):
        return None
    shape, strides = inputs_of(eqn)[1].shape, eqn.params["window_strides"]
    ends = [low + size for size, (low, _) in zip(shape, eqn.params["padding"], strict=True)]
    sizes = [
        -(-(end + high) // step) for end, (_, high), step in zip(ends, eqn.params["padding"], strides, strict=True)
    ]

    def scatter(source: jax.Array, operand: jax.Array) -> jax.Array:
        with set_xla_metadata(inlineable="false"):  # else XLA selects anew for each place that may get something
            selected = jax.jit(lambda x: _selected(x, source.shape, eqn))(operand)
        phases = [_phase(source, selected, eqn, place, sizes) for place in places_in(strides)]
        axes = [axis for axis, step in enumerate(strides) if step > 1]
        out = interleave(phases, axes, [strides[axis] for axis in axes])
        return lax.slice(out, [low for low, _ in eqn.params["padding"]], ends)

    return scatter


def _selected(operand: jax.Array, shape: Sequence[int], eqn: JaxprEqn) -> jax.Array:
    """By window the number of the selected place, compared in JAX's order, with what JAX takes for padding."""
    select = eqn.params["select_prim"]
    padding = lax.full((), -math.inf if select is lax.ge_p else math.inf, operand.dtype)
    x = lax.pad(operand, padding, [(low, high, 0) for low, high in eqn.params["padding"]])
    ones, strides = (1,) * x.ndim, eqn.params["window_strides"]
    best, *others = [shifted(x, place, ones, shape, strides) for place in places_in(eqn.params["window_dimensions"])]
    number = lax.full(shape, 0, "int32")
    for count, value in enumerate(others, 1):
        keeps = select.bind(best, value)
        best = lax.select(keeps, best, value)
        number = lax.select(keeps, number, lax.full(shape, count, "int32"))
    return number


def _phase(
    source: jax.Array, selected: jax.Array, eqn: JaxprEqn, start: Sequence[int], sizes: Sequence[int]
) -> jax.Array:
    """What the inputs at `start` and every `stride` after it get, from each of the windows that they are in."""
    window, strides = eqn.params["window_dimensions"], eqn.params["window_strides"]
    zero, total = lax.full((), 0, source.dtype), lax.full(sizes, 0, source.dtype)
    for count, place in enumerate(places_in(window)):
        if any((at - first) % step for at, first, step in zip(place, start, strides, strict=True)):
            continue
        back = [at // step for at, step in zip(place, strides, strict=True)]
        here = lax.eq(selected, lax.full(source.shape, count, "int32"))
        given = lax.select(here, source, lax.full(source.shape, zero, source.dtype))
        edges = [(low, size - n - low, 0) for low, size, n in zip(back, sizes, source.shape, strict=True)]
        total = lax.add(total, lax.pad(given, zero, edges))
    return total
