"""Gradients of kernels as the one product that they are."""

import math
from collections.abc import Callable

import jax
from jax import lax
from jax.extend.core import JaxprEqn

from ._pass import Uses, inputs_of


def kernel_gradients(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """`transpose(dot(g, x))`, as JAX differentiates `x @ kernel`, becomes `dot(x, g)`.

    XLA on CPU otherwise writes transposed copies of `g`, which is often the larger one. Both sides become matrices,
    since it writes copies of other shapes too. The transpose that follows stays, with its opposite before it: XLA takes
    both away.
    """
    if eqn.primitive.name != "dot_general" or eqn.params["out_sharding"] is not None:
        return None
    (left, right), batches = eqn.params["dimension_numbers"]
    if any(batches) or not (tuple(left) == tuple(right) == tuple(range(len(left)))):
        return None
    rows, columns = (aval.ndim - len(left) for aval in inputs_of(eqn))
    users = uses[eqn.outvars[0]]
    if not (len(left) and rows and columns and len(users) == 1) or users[0] is None:
        return None
    swap = (*range(rows, rows + columns), *range(rows))
    if users[0].primitive.name != "transpose" or tuple(users[0].params["permutation"]) != swap:
        return None
    precision = eqn.params["precision"]
    params = {
        **eqn.params,
        "dimension_numbers": (((0,), (0,)), ((), ())),
        "precision": precision[::-1] if isinstance(precision, tuple) else precision,
    }

    def multiply(g: jax.Array, x: jax.Array) -> jax.Array:
        swapped = lax.dot_general(_matrix(x, len(left)), _matrix(g, len(left)), **params)
        swapped = lax.reshape(swapped, (*x.shape[len(left) :], *g.shape[len(left) :]))
        return lax.transpose(swapped, (*range(columns, columns + rows), *range(columns)))

    return multiply


def _matrix(x: jax.Array, axes: int) -> jax.Array:
    """Its first axes as rows, the others as columns."""
    return lax.reshape(x, (math.prod(x.shape[:axes]), math.prod(x.shape[axes:])))
