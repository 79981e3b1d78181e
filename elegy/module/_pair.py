"""A pair of functions `(init, apply)` as a module."""

from collections.abc import Callable
from typing import Any

import jax

from .._errors import short_type
from .._inject import wants
from .._names import name_of
from ._binding import bind_x
from ._keys import consumer_key
from ._protocol import Applied, Extras, Functional, Variables

_ASKED = ("training", "key", "states")


def pair_functional(init: Callable[..., Any], apply: Callable[..., Any]) -> Functional:
    """The protocol for two functions.

    Args:
        init: `(key, *inputs) -> parameters`, or `-> (parameters, states)` if `apply` asks for `states`.
        apply: `(parameters, *inputs) -> outputs`; it may ask by name for `training`, `key` and `states`, and with
            `states` it returns `(outputs, states)`.
    """
    asked = [name for name in _ASKED if name in wants(apply).names]
    name, has_states = name_of(apply), "states" in asked
    first_of_init, first_of_apply = (wants(part).positional[:1] for part in (init, apply))
    held: list[tuple[Any, Any]] = []

    def first(key: jax.Array, x: Any) -> Variables:
        if held:
            return Variables(*held[0])
        args, kwargs = bind_x(init, x, f"`init` of the module `{name}`", given=first_of_init)
        made = init(key, *args, **kwargs)
        return Variables(*_two(made, name, "init", "(parameters, states)")) if has_states else Variables(made, {})

    def run(
        parameters: Any, states: Any, x: Any, *, key: Any, training: bool, frozen: Any = (), capture: bool = False
    ) -> Applied:
        del frozen, capture  # a pair has no modules to freeze or to look into
        own_key = None if key is None else consumer_key(key, "module:", 0)
        offer = {"training": training, "key": own_key, "states": states}
        args, kwargs = bind_x(apply, x, f"module `{name}`", given=(*first_of_apply, *asked))
        outputs = apply(parameters, *args, **{**{name: offer[name] for name in asked}, **kwargs})
        results = _two(outputs, name, "apply", "(outputs, states)") if has_states else (outputs, states)
        return Applied(*results, Extras())

    def write(parameters: Any, states: Any) -> None:
        held[:] = [(parameters, states)]

    pair = (init, apply)
    return Functional(name, first, run, lambda: held[0] if held else ({}, {}), write, held.clear, lambda: pair)


def _two(results: Any, name: str, which: str, what: str) -> tuple[Any, Any]:
    if not isinstance(results, tuple) or len(results) != 2:
        raise TypeError(
            f"`apply` of the module `{name}` asks for `states`, so `{which}` returns `{what}`. It returned a "
            f"{short_type(results)}. Return both, or do not ask for `states`."
        )
    return results
