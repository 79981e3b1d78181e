"""A pair of functions `(init, apply)` as a module."""

from collections.abc import Callable
from typing import Any

import jax

from .._inject import wants
from .._names import name_of
from ._protocol import Applied, Extras, Functional, Variables

_ASKED = ("training", "key", "states")


def pair_functional(init: Callable[..., Any], apply: Callable[..., Any]) -> Functional:
    """The protocol for two functions.

    Args:
        init: `(key, *inputs) -> parameters`, or `-> (parameters, states)` if `apply` asks for `states`.
        apply: `(parameters, *inputs) -> outputs`; it may ask by name for `training`, `key` and `states`, and with
            `states` it returns `(outputs, states)`.
    """
    asked = {name for name in _ASKED if name in wants(apply).names}
    name = name_of(apply)
    held: list[tuple[Any, Any]] = []

    def first(key: jax.Array, x: Any) -> Variables:
        if held:
            return Variables(*held[0])
        made = init(key, *_inputs(x))
        return Variables(made[0], made[1]) if "states" in asked else Variables(made, {})

    def run(
        parameters: Any, states: Any, x: Any, *, key: Any, training: bool, frozen: Any = (), capture: bool = False
    ) -> Applied:
        del frozen, capture  # a pair has no modules to freeze or to look into
        offer = {"training": training, "key": key, "states": states}
        given = {name: offer[name] for name in asked}

        def call(*inputs: Any, **named: Any) -> Any:
            return apply(parameters, *inputs, **named, **given)

        outputs = call(**x) if isinstance(x, dict) else call(*_inputs(x))
        outputs, after = outputs if "states" in asked else (outputs, states)
        return Applied(outputs, after, Extras())

    def write(parameters: Any, states: Any) -> None:
        held[:] = [(parameters, states)]

    return Functional(name, first, run, lambda: held[0] if held else ({}, {}), write, held.clear, (init, apply))


def _inputs(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) and not hasattr(x, "_fields") else (x,)
