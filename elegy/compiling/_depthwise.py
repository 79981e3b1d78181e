"""Convolutions of each channel by itself, and their kernels' gradients, as sums of shifted products."""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
from jax import lax
from jax.extend.core import JaxprEqn

from ._layout import as_canonical, from_canonical, is_convolution
from ._pass import Uses

_FEWEST = 8  # channels; fewer are as quick as groups
_MOST = 64  # taps; more would be much to compile


def depthwise_convolutions(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """One kernel for each channel: for each tap the shifted input times that tap, added up.

    XLA's code on CPU has a call for each channel; here all channels of a tap are one product.
    """
    del uses
    if not is_convolution(eqn) or not set(eqn.params["lhs_dilation"]) == {1}:
        return None
    made, taken, *taps = eqn.params["dimension_numbers"].rhs_spec
    kernel = eqn.invars[1].aval.shape
    if not (_FEWEST < eqn.params["feature_group_count"] == kernel[made] and kernel[taken] == 1):
        return None
    if eqn.params["batch_group_count"] > 1 or math.prod(kernel[axis] for axis in taps) > _MOST:
        return None
    channels = eqn.invars[0].aval.shape[eqn.params["dimension_numbers"].lhs_spec[1]]
    if channels != kernel[made]:
        return None

    def convolve(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        lhs, rhs = as_canonical(*map(_widened, (lhs, rhs)), eqn)
        lhs = _padded(lhs, eqn.params["padding"])
        rhs = lax.reshape(rhs, (*rhs.shape[:-2], rhs.shape[-1]))
        sizes = [eqn.outvars[0].aval.shape[axis] for axis in eqn.params["dimension_numbers"].out_spec[2:]]
        shifts = _windows(lhs, rhs.shape[:-1], eqn.params["rhs_dilation"], sizes, eqn.params["window_strides"])
        products = [_times(part, rhs, tap) for tap, part in shifts]
        return from_canonical(functools.reduce(lax.add, products).astype(eqn.outvars[0].aval.dtype), eqn)

    return convolve


def depthwise_gradients(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The gradient of such kernels: for each tap the shifted input times the output's gradient, summed."""
    del uses
    if not is_convolution(eqn) or not set(eqn.params["lhs_dilation"]) == {1}:
        return None
    groups, (batch, features, *spatial) = eqn.params["batch_group_count"], eqn.params["dimension_numbers"].lhs_spec
    kernel, numbers = eqn.outvars[0].aval.shape, eqn.params["dimension_numbers"]
    if not (_FEWEST < groups == eqn.invars[0].aval.shape[batch] == kernel[numbers.out_spec[1]]):
        return None
    if eqn.params["feature_group_count"] > 1 or math.prod(kernel[axis] for axis in numbers.out_spec[2:]) > _MOST:
        return None

    def convolve(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        # What XLA calls the batch are the channels, what it calls features is the batch: (batch, spatial, channels).
        lhs = lax.transpose(_widened(lhs), (features, *spatial, batch))
        made, taken, *taps = numbers.rhs_spec
        rhs = lax.transpose(_widened(rhs), (taken, *taps, made))
        lhs = _padded(lhs, eqn.params["padding"])
        sizes = [kernel[axis] for axis in numbers.out_spec[2:]]
        shifts = _windows(lhs, sizes, eqn.params["window_strides"], rhs.shape[1:-1], eqn.params["rhs_dilation"])
        sums = [_summed(lax.mul(part, rhs)) for _, part in shifts]
        out = lax.reshape(lax.concatenate(sums, 0), (1, *sizes, groups))
        return from_canonical(out.astype(eqn.outvars[0].aval.dtype), eqn)

    return convolve


def _windows(
    x: jax.Array, taps: Sequence[int], steps: Sequence[int], sizes: Sequence[int], strides: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], jax.Array]]:
    """By tap the part of `x` that it meets; taps are `steps` apart, what each meets `strides`."""
    for tap in itertools.product(*map(range, taps)):
        starts = [at * step for at, step in zip(tap, steps, strict=True)]
        ends = [at + (size - 1) * stride + 1 for at, size, stride in zip(starts, sizes, strides, strict=True)]
        yield tap, lax.slice(x, (0, *starts, 0), (x.shape[0], *ends, x.shape[-1]), (1, *strides, 1))


def _times(x: jax.Array, kernel: jax.Array, tap: tuple[int, ...]) -> jax.Array:
    weights = lax.reshape(lax.slice(kernel, (*tap, 0), (*(at + 1 for at in tap), kernel.shape[-1])), kernel.shape[-1:])
    return lax.mul(x, lax.broadcast_in_dim(weights, x.shape, (x.ndim - 1,)))


def _summed(x: jax.Array) -> jax.Array:
    rows = lax.reshape(x, (x.size // x.shape[-1], x.shape[-1]))
    return lax.dot(lax.full((1, rows.shape[0]), 1, x.dtype), rows)


def _padded(x: jax.Array, padding: Any) -> jax.Array:
    return lax.pad(x, lax.full((), 0, x.dtype), [(0, 0, 0), *((low, high, 0) for low, high in padding), (0, 0, 0)])


def _widened(x: jax.Array) -> jax.Array:
    """In float32: many products are added up."""
    return lax.convert_element_type(x, "float32")
