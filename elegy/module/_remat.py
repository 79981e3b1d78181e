"""`elegy.remat`: compute a part of a network again when gradients need it, in place of keeping it in memory."""

from collections.abc import Callable
from typing import Any

import jax

from ._lift import Lifted
from ._places import split_arrays
from ._region import Region, Written
from ._scope import Scope


def remat(target: Any, *, policy: Callable[..., bool] | None = None, prevent_cse: bool = True) -> Lifted:
    """A module or function whose inner values are computed again for the gradient: less memory, more time.

    It returns what the target returns, with the same parameters, states, paths and random numbers; `jax.checkpoint`,
    but the target may do what a call may: update states, ask for keys, make children.

    Args:
        target: an `elegy.Module` or a function.
        policy: which values are kept nevertheless; one of `jax.checkpoint_policies`. By default none.
        prevent_cse: keeps the compiler from undoing it. Inside `elegy.scan` it may be False, which is faster.

    Returns:
        What is called like the target. Arrays among the arguments are traced; plain values, like flags, stay as they
        are.

    Raises:
        TypeError: the target is a class, or nothing that can be called.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> class Network(elegy.Module):
        ...     def call(self, x):
        ...         return elegy.remat(elegy.nn.Linear(2))(x)
        >>> network = Network()
        >>> network(jnp.ones((1, 3))).shape, list(network.parameters)
        ((1, 2), ['linear'])
    """

    def run(scope: Scope, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if scope.initializing:  # there are no gradients
            return target(*args, **kwargs)
        region = Region(scope)
        arrays, rebuild = split_arrays((args, kwargs))

        def body(arrays: list[Any]) -> Written:
            args, kwargs = rebuild(arrays)
            return region.run(lambda: target(*args, **kwargs), {})

        return region.absorb(jax.checkpoint(body, policy=policy, prevent_cse=prevent_cse)(arrays))

    return Lifted(target, run, remat, {"policy": policy, "prevent_cse": prevent_cse})
