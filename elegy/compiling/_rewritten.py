"""A function that computes what another one does, in the way that suits the backend."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import jaxpr_as_fun

from ._pass import Rule, rewrite


def rewritten(function: Callable[..., Any], rules: Sequence[Rule]) -> Callable[..., Any]:
    """A function whose trace has been rewritten by rules; to be jitted, mapped or differentiated like the one given.

    The function is traced once for each trace of what is returned, and its errors come through unchanged.

    Args:
        function: of pytrees of arrays, with pytrees of arrays as result.
        rules: what to look for, in this order.

    Returns:
        A function of the same name, arguments and results.

    Example:
        >>> import jax.numpy as jnp
        >>> from elegy.compiling import ALL_RULES
        >>> fast = jax.jit(rewritten(jnp.argmax, ALL_RULES))
        >>> int(fast(jnp.arange(100)))
        99
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        traced, shapes = jax.make_jaxpr(function, return_shape=True)(*args, **kwargs)
        leaves = jaxpr_as_fun(rewrite(traced, rules))(*jax.tree.leaves((args, kwargs)))
        return jax.tree.unflatten(jax.tree.structure(shapes), leaves)

    return call
