"""Which library a module comes from, and who makes two pure functions of it."""

import types
from collections.abc import Callable, Mapping
from typing import Any

from ..module import Functional
from ..module import as_functional as own_functional
from ._nnx import nnx_functional

# By class prefix, `module.path:` of a class in the mro, who takes modules of that library; a guest is one function that
# returns a `Functional`, in a file of its own that imports its library when it is called.
GUESTS: Mapping[str, Callable[[Any], Functional]] = {"flax.nnx": nnx_functional}


def as_functional(module: Any) -> Functional:
    """Anything that computes, of whatever library, as two pure functions.

    Args:
        module: an `elegy.Module`, an object with `call` or `__call__`, a function, a pair `(init, apply)`, or a module
            of a library that is a guest here, or a method of one.

    Raises:
        TypeError: it is a class, a module of a library that is not supported, or nothing that can be called.

    Example:
        >>> import jax.numpy as jnp
        >>> as_functional(lambda x: 2 * x).apply({}, {}, jnp.ones(2), key=None, training=False).outputs.tolist()
        [2.0, 2.0]
    """
    owner = module.__self__ if isinstance(module, types.MethodType) else module
    guest = next((GUESTS[home] for home in _homes_of(owner) if home in GUESTS), own_functional)
    return guest(module)


def _homes_of(module: Any) -> list[str]:
    """The packages that the classes of a module come from, nearest first, with all their parents."""
    if isinstance(module, type):
        return []  # a class is refused alike, whatever library it comes from
    names = [base.__module__.split(".") for base in type(module).__mro__]
    return [".".join(parts[:end]) for parts in names for end in range(len(parts), 0, -1)]
