"""Which library a module comes from, and who makes two pure functions of it."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

from ..module import Functional, with_batches
from ..module import as_functional as own_functional
from ._equinox import equinox_functional
from ._nnx import nnx_functional

# By class prefix, `module.path` of a class in the mro, who takes modules of that library; a guest is one function that
# returns a `Functional`, in a file of its own that imports its library when it is called.
GUESTS: Mapping[str, Callable[[Any], Functional]] = {"equinox": equinox_functional, "flax.nnx": nnx_functional}


def as_functional(module: Any, *, batched: bool = True) -> Functional:
    """Anything that computes, of whatever library, as two pure functions.

    Args:
        module: an `elegy.Module`, an object with `call` or `__call__`, a function, a pair `(init, apply)`, or a module
            of a library that is a guest here; also a method of such a module, or a pair of it and its state.
        batched: whether it takes whole batches; if not, it is mapped over the batch along the axis `"batch"`.

    Raises:
        TypeError: it is a class, a module of a library that is not supported, or nothing that can be called.

    Example:
        >>> import jax.numpy as jnp
        >>> as_functional(lambda x: 2 * x).apply({}, {}, jnp.ones(2), key=None, training=False).outputs.tolist()
        [2.0, 2.0]
    """
    home = _guest_home(module)
    if home is None:
        _refuse_hidden(module)
    return with_batches((GUESTS[home] if home else own_functional)(module), batched=batched)


def _guest_home(module: Any) -> str | None:
    """The guest whose library a module, its part in a pair, or the owner of a method comes from."""
    parts = module if isinstance(module, tuple) else (_owner_of(module),)
    return next((home for part in parts for home in _homes_of(part) if home in GUESTS), None)


def _owner_of(module: Any) -> Any:
    """The object whose method was given, or the module itself."""
    return module.__self__ if isinstance(module, types.MethodType) else module


def _homes_of(module: Any) -> list[str]:
    """The packages that the classes of a module come from, nearest first, with all their parents."""
    if isinstance(module, type):
        return []  # a class is refused alike, whatever library it comes from
    names = [base.__module__.split(".") for base in type(module).__mro__]
    return [".".join(parts[:end]) for parts in names for end in range(len(parts), 0, -1)]


def _refuse_hidden(module: Any) -> None:
    """Raise if a transform such as `jax.vmap` was put around a guest, whose arrays it hides."""
    inner = inspect.unwrap(module) if callable(module) else module
    if _guest_home(inner):
        owner = type(_owner_of(inner)).__name__
        raise TypeError(
            f"A function around `{owner}` was given as a module, as `jax.vmap` and `jax.jit` make them. The arrays of "
            f"`{owner}` would be constants in it, which nobody trains. Give `{owner}` itself; "
            "`Model(..., batched=False)` maps it over the batch."
        )
