"""The one layout of convolutions that XLA recognises on CPU: batch first, features last, kernels (spatial, in, out)."""

from typing import Any

import jax
from jax import lax
from jax.extend.core import JaxprEqn

from ._pass import inputs_of, output_of

_DTYPES = ("float32", "bfloat16", "float16")  # others have no fast code on CPU, in whatever layout


def is_convolution(eqn: JaxprEqn) -> bool:
    """Whether it convolves something, over one to three axes, in a dtype for which the layout matters."""
    if eqn.primitive.name != "conv_general_dilated":
        return False
    avals = [*inputs_of(eqn), output_of(eqn)]
    return all(0 not in aval.shape and 3 <= aval.ndim <= 5 and aval.dtype.name in _DTYPES for aval in avals)


def canonical_numbers(ndim: int) -> lax.ConvDimensionNumbers:
    """The axes of inputs, kernel and output of `ndim` axes in that layout."""
    spatial = tuple(range(1, ndim - 1))
    images = (0, ndim - 1, *spatial)
    return lax.ConvDimensionNumbers(images, (ndim - 1, ndim - 2, *range(ndim - 2)), images)


def as_canonical(lhs: jax.Array, rhs: jax.Array, eqn: JaxprEqn) -> tuple[jax.Array, jax.Array]:
    """The inputs of a convolution in that layout."""
    numbers = eqn.params["dimension_numbers"]
    batch, features, *spatial = numbers.lhs_spec
    made, taken, *taps = numbers.rhs_spec
    return _transposed(lhs, (batch, *spatial, features)), _transposed(rhs, (*taps, taken, made))


def from_canonical(out: jax.Array, eqn: JaxprEqn) -> jax.Array:
    """An output in that layout as the convolution was to return it."""
    batch, features, *spatial = eqn.params["dimension_numbers"].out_spec
    order = [0] * out.ndim
    for place, axis in enumerate((batch, *spatial, features)):
        order[axis] = place
    return _transposed(out, order)


def convolved(lhs: jax.Array, rhs: jax.Array, eqn: JaxprEqn, **changed: Any) -> jax.Array:
    """The convolution of inputs in that layout, with the parameters of `eqn` but for some."""
    numbers = canonical_numbers(lhs.ndim)
    return lax.conv_general_dilated(lhs, rhs, **{**eqn.params, "dimension_numbers": numbers, **changed})


def _transposed(x: jax.Array, order: Any) -> jax.Array:
    return x if list(order) == list(range(x.ndim)) else lax.transpose(x, order)
