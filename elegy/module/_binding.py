"""How a batch's `x` becomes the arguments of a module's call."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from .._errors import InjectionError, did_you_mean, listing
from .._inject import OFFERED, Wants, wants

_INJECTED = tuple(name for name in OFFERED if name not in ("x", "training"))


def bind_x(call: Callable[..., Any], x: Any, training: bool, who: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments for `call`: an array is the one positional argument, a tuple all of them, a dict goes by name.

    Args:
        call: the function, method or object that is called.
        x: inputs; a namedtuple or a dataclass counts as one array does.
        training: injected where `call` names `training`; a key `training` of a dict wins.
        who: how errors call the module.

    Raises:
        InjectionError: a name is asked for that `x` does not have, or the number of inputs differs.

    Example:
        >>> bind_x(lambda m, training: None, 1, True, "module `f`")
        ((), {'training': True, 'm': 1})
    """
    asked = wants(call)
    named = {"training": training} if "training" in asked.names else {}
    if isinstance(x, Mapping) and not dataclasses.is_dataclass(x):
        return (), {**named, **_by_name(asked, x, who)}
    inputs = tuple(x) if isinstance(x, (tuple, list)) and not hasattr(x, "_fields") else (() if x is None else (x,))
    names = [name for name in asked.positional if name != "training"]
    if asked.var_positional or not (asked.names or asked.var_keyword):
        return inputs, named
    if len(inputs) > len(names) or any(name in asked.required for name in names[len(inputs) :]):
        raise _wrong_count(inputs, names, asked, who)
    return (), {**named, **dict(zip(names, inputs, strict=False))}


def _by_name(asked: Wants, x: Mapping[str, Any], who: str) -> dict[str, Any]:
    for name in asked.required:
        if name not in x and name != "training":
            raise InjectionError(
                f"{who} asks for `{name}`, which `x` does not have. It has: {listing(x)}. "
                f"{_why_not(name)}{did_you_mean(name, x)}"
            )
    return dict(x) if asked.var_keyword else {name: x[name] for name in asked.names if name in x}


def _wrong_count(inputs: tuple[Any, ...], names: list[str], asked: Wants, who: str) -> InjectionError:
    missing = [name for name in names[len(inputs) :] if name in asked.required]
    why = "".join(_why_not(name) for name in missing if name in _INJECTED)
    given = "1 input" if len(inputs) == 1 else f"{len(inputs)} inputs"
    return InjectionError(
        f"{who} was called with {given}. It takes: {listing(names)}. "
        + (why or "Give `x` as a tuple with one entry for each of them; `training` is never filled from `x`.")
    )


def _why_not(name: str) -> str:
    if name in _INJECTED:
        return f"A module sees inputs and `training` only; let a loss or metric ask for `{name}`."
    return "Add it to `x`, or give the argument a default."
