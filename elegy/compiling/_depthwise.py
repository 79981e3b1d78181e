"""Convolutions of each channel by itself, and their kernels' gradients, as sums of shifted products."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
from jax import lax
from jax.extend.core import JaxprEqn

from ._layout import as_canonical, from_canonical, is_convolution
from ._pass import Uses, inputs_of, output_of
from ._windows import places_in, shifted

_FEWEST = 8  # channels; fewer are as quick as groups
_MOST = 64  # taps; more would be much to compile


def depthwise_convolutions(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """One kernel for each channel: for each tap the shifted input times that tap, added up.

    XLA's code on CPU has a call for each channel; here all channels of a tap are one product.
    """
    del uses
    if not is_convolution(eqn) or set(eqn.params["lhs_dilation"]) != {1} or eqn.params["batch_group_count"] > 1:
        return None
    (image, kernel), numbers = inputs_of(eqn), eqn.params["dimension_numbers"]
    made, taken, *taps = numbers.rhs_spec
    groups = eqn.params["feature_group_count"]
    if not (_FEWEST < groups == kernel.shape[made] == image.shape[numbers.lhs_spec[1]] and kernel.shape[taken] == 1):
        return None
    if math.prod(kernel.shape[axis] for axis in taps) > _MOST:
        return None
    out, strides = output_of(eqn), (1, *eqn.params["window_strides"], 1)
    shape = [out.shape[axis] for axis in (numbers.out_spec[0], *numbers.out_spec[2:], numbers.out_spec[1])]

    def convolve(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        lhs, rhs = as_canonical(_widened(lhs), _widened(rhs), eqn)
        lhs, dilation = _padded(lhs, eqn), (1, *eqn.params["rhs_dilation"], 1)
        parts = [
            lax.mul(shifted(lhs, (0, *tap, 0), dilation, shape, strides), _channels(rhs, tap, shape))
            for tap in places_in(rhs.shape[:-2])
        ]
        return from_canonical(lax.convert_element_type(functools.reduce(lax.add, parts), out.dtype), eqn)

    return convolve


def depthwise_gradients(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The gradient of such kernels: for each tap the shifted input times the output's gradient, summed."""
    del uses
    if not is_convolution(eqn) or set(eqn.params["lhs_dilation"]) != {1} or eqn.params["feature_group_count"] > 1:
        return None
    numbers, groups, kernel = eqn.params["dimension_numbers"], eqn.params["batch_group_count"], output_of(eqn)
    channels, batch, *spatial = numbers.lhs_spec  # each channel is a group of its own, and so takes the batch's place
    taps = [kernel.shape[axis] for axis in numbers.out_spec[2:]]
    if not _FEWEST < groups == inputs_of(eqn)[0].shape[channels] == kernel.shape[numbers.out_spec[1]]:
        return None
    if math.prod(taps) > _MOST:
        return None

    def convolve(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        made, taken, *rest = numbers.rhs_spec
        lhs = _padded(lax.transpose(_widened(lhs), (batch, *spatial, channels)), eqn)
        rhs = lax.transpose(_widened(rhs), (taken, *rest, made))
        dilation, strides = (1, *eqn.params["window_strides"], 1), (1, *eqn.params["rhs_dilation"], 1)
        parts = [shifted(lhs, (0, *tap, 0), dilation, rhs.shape, strides) for tap in places_in(taps)]
        out = lax.concatenate([_summed(lax.mul(part, rhs)) for part in parts], 0)
        return from_canonical(lax.convert_element_type(lax.reshape(out, (1, *taps, groups)), kernel.dtype), eqn)

    return convolve


def _channels(kernel: jax.Array, tap: tuple[int, ...], shape: Any) -> jax.Array:
    """One tap of the kernel of every channel, for each place of `shape`."""
    weights = lax.slice(kernel, (*tap, 0, 0), (*(at + 1 for at in tap), *kernel.shape[-2:]))
    return lax.broadcast_in_dim(lax.reshape(weights, kernel.shape[-1:]), shape, (len(shape) - 1,))


def _summed(x: jax.Array) -> jax.Array:
    """The sums of the channels, as a product, since XLA's code for sums over the leading axes goes in strides."""
    rows = lax.reshape(x, (x.size // x.shape[-1], x.shape[-1]))
    return lax.dot(lax.full((1, rows.shape[0]), 1, x.dtype), rows)


def _padded(x: jax.Array, eqn: JaxprEqn) -> jax.Array:
    edges = [(low, high, 0) for low, high in eqn.params["padding"]]
    return lax.pad(x, lax.full((), 0, x.dtype), [(0, 0, 0), *edges, (0, 0, 0)])


def _widened(x: jax.Array) -> jax.Array:
    """In float32: many products are added up."""
    return lax.convert_element_type(x, "float32")
