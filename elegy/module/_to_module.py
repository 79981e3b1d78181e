"""A function as a module class."""

import copyreg
from collections.abc import Callable
from typing import Any

from .._names import name_of
from ._meta import ModuleMeta
from ._module import Module


def to_module(function: Callable[..., Any]) -> type[Module]:
    """A module class that is called like the function; hooks and modules inside it belong to the instance.

    Args:
        function: what runs; `training` is filled in where it names it.

    Returns:
        A class with the function's name, whose constructor takes `name=` and `dtype=`.

    Raises:
        TypeError: it is a class, a module, or nothing that can be called.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> def scaled(x): return x * elegy.add_parameter("factor", initializer=2.0)
        >>> module = elegy.to_module(scaled)()
        >>> module(jnp.ones(2)).tolist(), float(module.factor)
        ([2.0, 2.0], 2.0)
    """
    if not callable(function) or isinstance(function, (type, Module)):
        what = f"the class `{function.__name__}`" if isinstance(function, type) else f"a {type(function).__name__}"
        raise TypeError(
            f"`to_module` was given {what}. It makes a module class of a function. "
            "Give a function of the inputs; a module is one already."
        )
    name = name_of(function)
    made: Any = ModuleMeta(
        name,
        (Module,),
        {
            "__doc__": getattr(function, "__doc__", None),
            "__module__": getattr(function, "__module__", __name__),
            "__qualname__": name,
            "call": staticmethod(function),
            "_made_of": staticmethod(function),
        },
    )
    return made


def _pickled(cls: type) -> Any:
    """How pickle finds a module class: by its name, or, since `to_module` gives it none, by its function."""
    made_of = vars(cls).get("_made_of")
    return cls.__qualname__ if made_of is None else (to_module, (made_of.__func__,))


copyreg.pickle(ModuleMeta, _pickled)  # type: ignore[arg-type]  # which also takes the name of a global
