"""Which child a construction inside a call stands for, and whether that may be."""

import inspect
from typing import Any

from .._errors import ModuleOrderError
from ._compare import same_argument
from ._record import PLAIN_NAME, Child, Record, attributes_of, display_name, owner_of


def own_name_of(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """The `name=` among constructor arguments, wherever it was given."""
    if isinstance(kwargs.get("name"), str):
        return kwargs["name"]
    if not args:
        return None
    given = dict(zip(inspect.signature(cls).parameters, args, strict=False)).get("name")
    return given if isinstance(given, str) else None


def first_difference(known: Child, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """The first constructor argument that is not what it was, as words, before and now; None if all are alike."""
    before = {**dict(enumerate(known.args)), **known.kwargs}
    now = {**dict(enumerate(args)), **kwargs}
    for name in (*before, *(name for name in now if name not in before)):
        old, new = before.get(name), now.get(name)
        if not same_argument(old, new):
            return (f"argument {name + 1}" if isinstance(name, int) else f"`{name}`"), old, new
    return None


def refuse_taken(who: str, module: Any, record: Record, identity: str) -> None:
    """Raise if a child would be called like an attribute, a method or a parameter of its parent.

    Raises:
        ValueError: it would.
    """
    if identity in record.specs or identity in attributes_of(module) or hasattr(type(owner_of(module)), identity):
        raise ValueError(
            f"{who} makes a child that is called `{identity}`. It has an attribute or parameter of that "
            'name. Give the child another one: `name="..."`.'
        )


def require_plain_name(who: str, name: Any) -> None:
    """Raise if a name cannot be one step of a path.

    Raises:
        ValueError: it is empty, no string, or has one of `/ . [ ] *`.
    """
    if not isinstance(name, str) or not PLAIN_NAME.fullmatch(name):
        raise ValueError(
            f"{who} uses the name {name!r}. Names are the steps of paths such as `encoder/linear/w`. "
            "Use a string without `/`, `.`, `[`, `]`, `*`, `?` and spaces."
        )


def require_sound(module: Any, child: Child) -> None:
    """Raise if a child with arrays could not be found again by a later call.

    Raises:
        ModuleOrderError: it exists in one mode only and has no name.
        ValueError: it is made inside a raw JAX transform.
    """
    if child.is_inside_transform:
        raise ValueError(
            f"module `{display_name(module)}` makes its child `{child.name}`, which holds arrays, inside a JAX "
            "transform such as `jax.jit`, `lax.scan` or `jax.checkpoint`. A transform may run its function any number "
            "of times. Make the child before it, or use Elegy's lifted form (`elegy.jit`, `elegy.scan`, `elegy.vmap`, "
            "`elegy.remat`)."
        )
    if len(child.seen) == 1 and not child.is_named:
        mode = "training" if True in child.seen else "evaluation"
        raise ModuleOrderError(
            f"module `{display_name(module)}` makes its child `{child.name}` in {mode} only. It holds "
            "arrays, and children are told apart by their order. Give it a `name=`, or make it in both modes."
        )
