"""How a batch's `x` becomes the arguments of a module's call."""

import dataclasses
import inspect
from collections.abc import Callable, Collection, Mapping
from numbers import Number
from typing import Any

import jax.numpy as jnp

from .._errors import InjectionError, did_you_mean, listing
from .._inject import OFFERED, Wants, wants

_INJECTED = tuple(name for name in OFFERED if name not in ("x", "training"))


def bind_x(
    call: Callable[..., Any], x: Any, who: str, given: Collection[str] = ("training",)
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments for `call`: an array is the one positional argument, a tuple all of them, a dict goes by name.

    Args:
        call: the function, method or object that is called.
        x: inputs; a namedtuple or a dataclass counts as one array does, and so does a nested list of numbers.
        who: how errors call the module.
        given: names that are filled from elsewhere; only a key of a dict wins over that.

    Returns:
        Positional and keyword arguments, without those that are given from elsewhere.

    Raises:
        InjectionError: a name is asked for that `x` does not have, or the number of inputs differs.

    Example:
        >>> bind_x(lambda m, training: None, 1, "module `f`")
        ((1,), {})
        >>> bind_x(lambda n, o: None, {"m": 1, "n": 2, "o": 3}, "module `f`")
        ((), {'n': 2, 'o': 3})
    """
    asked = wants(call)
    if isinstance(x, Mapping):
        return (), _by_name(asked, x, who, given)
    inputs = _inputs(x)
    names = [name for name in asked.positional if name not in given]
    required = [name for name in asked.required if name not in given]
    if asked.var_positional or not _is_readable(call):
        return inputs, {}
    if len(inputs) > len(names) or any(name not in names[: len(inputs)] for name in required):
        raise _wrong_count(inputs, names, required, who)
    if tuple(names[: len(inputs)]) == asked.positional[: len(inputs)]:
        return inputs, {}
    return (), dict(zip(names, inputs, strict=False))


def with_training(
    call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], training: bool
) -> dict[str, Any]:
    """The keyword arguments for `call`, with `training` filled in where it asks for it and nobody gave it.

    Args:
        call: the function, method or object that is called.
        args: its positional arguments.
        kwargs: its keyword arguments so far.
        training: whether it trains.

    Example:
        >>> with_training(lambda x, training: None, (1,), {}, True)
        {'training': True}
    """
    asked = wants(call)
    position = asked.positional.index("training") if "training" in asked.positional else len(args)
    if "training" in asked.names and "training" not in kwargs and len(args) <= position:
        return {**kwargs, "training": training}
    return kwargs


def _inputs(x: Any) -> tuple[Any, ...]:
    if x is None:
        return ()
    if isinstance(x, list) and _is_of_numbers(x):
        return (jnp.asarray(x),)
    is_positional = isinstance(x, (tuple, list)) and not hasattr(x, "_fields")
    return tuple(x) if is_positional and not dataclasses.is_dataclass(x) else (x,)


def _is_of_numbers(x: Any) -> bool:
    if isinstance(x, list):
        return bool(x) and all(map(_is_of_numbers, x))
    return isinstance(x, Number) and not hasattr(x, "shape")


def _is_readable(call: Callable[..., Any]) -> bool:
    try:
        inspect.signature(call)
    except (TypeError, ValueError):
        return False
    return True


def _by_name(asked: Wants, x: Mapping[str, Any], who: str, given: Collection[str]) -> dict[str, Any]:
    for name in asked.required:
        if name not in x and name not in given:
            raise InjectionError(
                f"{who} asks for `{name}`, which `x` does not have. It has: {listing(x)}. "
                f"{_why_not(name)}{did_you_mean(name, x)}"
            )
    return dict(x) if asked.var_keyword else {name: x[name] for name in asked.names if name in x}


def _wrong_count(inputs: tuple[Any, ...], names: list[str], required: list[str], who: str) -> InjectionError:
    why = "".join(_why_not(name) for name in required if name in _INJECTED and name not in names[: len(inputs)])
    count = "1 input" if len(inputs) == 1 else f"{len(inputs)} inputs"
    return InjectionError(
        f"{who} was called with {count}. It takes: {listing(names or required)}. "
        + (why or "Give `x` as a tuple with one entry for each of them; `training` is never filled from `x`.")
    )


def _why_not(name: str) -> str:
    if name in _INJECTED:
        return f"A module sees inputs and `training` only; let a loss or metric ask for `{name}`."
    return "Add it to `x`, or give the argument a default."
