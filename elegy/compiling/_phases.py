"""Convolutions of inputs with zeros between their values, without multiplying by the zeros."""

import math
from collections.abc import Callable, Sequence

import jax
from jax import lax
from jax.extend.core import JaxprEqn

from ._interleave import interleave
from ._layout import as_canonical, convolved, from_canonical, is_convolution
from ._pass import Uses, inputs_of, output_of
from ._windows import places_in

_MOST = 16  # phases; more would be much to compile
_LEAST = 2**22  # multiplications, those by zeros included; below, the single parts are too small to be worth it


def convolution_phases(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The input gradient of a strided convolution, and a transposed convolution, as a few small dense convolutions.

    Such a convolution meets zeros between the values. Which taps of the kernel meet values depends on the place of
    the output modulo the step: one dense convolution for each such phase, with every `step`-th tap, and their outputs
    take turns.
    """
    del uses
    if not is_convolution(eqn):
        return None
    steps, ones = eqn.params["lhs_dilation"], (1,) * len(eqn.params["lhs_dilation"])
    if steps == ones or not (eqn.params["window_strides"] == eqn.params["rhs_dilation"] == ones):
        return None
    numbers, shape, kernel = eqn.params["dimension_numbers"], output_of(eqn).shape, inputs_of(eqn)[1].shape
    batch, features, *spatial = (shape[axis] for axis in numbers.out_spec)
    taps = math.prod(kernel[axis] for axis in numbers.rhs_spec[2:])
    # Two phases save too little, unless the kernel is the large part: the gradient of a transposed convolution's one.
    if not (2 if taps > math.prod(spatial) else 4) <= math.prod(steps) <= min(taps, _MOST):
        return None
    is_grouped = eqn.params["feature_group_count"] > 1  # for which the plain form is slow at any size
    if not is_grouped and math.prod(shape) * math.prod(kernel) // features < _LEAST:
        return None
    sizes = [-(-size // step) for size, step in zip(spatial, steps, strict=True)]

    def convolve(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        lhs, rhs = as_canonical(lhs, rhs, eqn)
        phases = [_phase(lhs, rhs, eqn, place, (batch, *sizes, features)) for place in places_in(steps)]
        whole = interleave(phases, axes=range(1, len(steps) + 1), steps=steps)
        return from_canonical(lax.slice(whole, (0,) * whole.ndim, (batch, *spatial, features)), eqn)

    return convolve


def _phase(lhs: jax.Array, rhs: jax.Array, eqn: JaxprEqn, place: Sequence[int], shape: Sequence[int]) -> jax.Array:
    """The outputs at `place` and every `step` after it: an array of `shape`, ends that are of no use included."""
    steps, lows = eqn.params["lhs_dilation"], [low for low, _ in eqn.params["padding"]]
    first = [(low - at) % step for at, step, low in zip(place, steps, lows, strict=True)]  # taps that meet a value
    if any(tap >= size for tap, size in zip(first, rhs.shape[:-2], strict=True)):
        return lax.full(shape, 0, output_of(eqn).dtype)
    kernel = lax.slice(rhs, (*first, 0, 0), rhs.shape, (*steps, 1, 1))
    before = [(low - at - tap) // step for low, at, tap, step in zip(lows, place, first, steps, strict=True)]
    length = [
        size - 1 + taps - n for size, taps, n in zip(shape[1:-1], kernel.shape[:-2], lhs.shape[1:-1], strict=True)
    ]
    padding = [(low, both - low) for low, both in zip(before, length, strict=True)]
    return convolved(lhs, kernel, eqn, padding=padding, lhs_dilation=(1,) * len(steps))
