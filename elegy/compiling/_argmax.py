"""The place of the largest or smallest value without a reduction of pairs, for which XLA has only scalar code."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import JaxprEqn

from ._pass import Uses, inputs_of

_LEAST = 64  # values along the axis; below, one pass of scalar code is as fast as two passes

_EXTREMES = {"argmax": lax.reduce_max, "argmin": lax.reduce_min}


def argmax_by_comparison(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """The first place whose value is NaN or equals the largest (smallest) one.

    If there is a NaN it is the largest and the smallest, and equals nothing: so its own place is found.
    """
    del uses
    if eqn.primitive.name not in _EXTREMES:
        return None
    extreme, aval = _EXTREMES[eqn.primitive.name], inputs_of(eqn)[0]
    (axis,), dtype = eqn.params["axes"], eqn.params["index_dtype"]
    size = aval.shape[axis]
    # Along other axes than the last one, and of integers, the pairs are compared side by side already.
    if (
        axis != aval.ndim - 1
        or not _LEAST <= size <= np.iinfo(dtype).max
        or not jnp.issubdtype(aval.dtype, jnp.floating)
    ):
        return None

    def find(x: jax.Array) -> jax.Array:
        best = lax.broadcast_in_dim(extreme(x, (axis,)), x.shape, range(axis))
        is_best = lax.bitwise_or(lax.eq(x, best), lax.ne(x, x))
        places = lax.select(is_best, lax.broadcasted_iota(dtype, x.shape, axis), lax.full(x.shape, size, dtype))
        return lax.reduce_min(places, (axis,))

    return find
