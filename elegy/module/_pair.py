"""A pair of functions `(init, apply)` as a module."""

from collections.abc import Callable
from typing import Any

import jax

from .._errors import short_type
from .._inject import wants
from .._names import name_of
from .._paths import flatten, unflatten
from ._binding import bind_x
from ._keys import consumer_key
from ._protocol import Applied, Extras, Functional, Variables

_ASKED = ("training", "key", "states")


def pair_functional(init: Callable[..., Any], apply: Callable[..., Any]) -> Functional:
    """The protocol for two functions.

    Args:
        init: `(key, *inputs) -> parameters`, or `-> (parameters, states)` if `apply` asks for `states`; each may be any
            tree, of which lists and tuples have the keys `0`, `1`, ... in paths, and an array by itself has `0`.
        apply: `(parameters, *inputs) -> outputs`; it may ask by name for `training`, `key` and `states`, and with
            `states` it returns `(outputs, states)`.
    """
    asked = [name for name in _ASKED if name in wants(apply).names]
    name, has_states = name_of(apply), "states" in asked
    first_of_init, first_of_apply = (wants(part).positional[:1] for part in (init, apply))
    held: list[tuple[Any, Any]] = []
    parameters_form, states_form = _Form(), _Form()

    def first(key: jax.Array, x: Any) -> Variables:
        if held:
            return Variables(*held[0])
        args, kwargs = bind_x(init, x, f"`init` of the module `{name}`", given=first_of_init)
        made = init(key, *args, **kwargs)
        parameters, states = _two(made, name, "init", "(parameters, states)") if has_states else (made, {})
        return Variables(parameters_form.named(parameters), states_form.named(states))

    def run(
        parameters: Any, states: Any, x: Any, *, key: Any, training: bool, frozen: Any = (), capture: bool = False
    ) -> Applied:
        del frozen, capture  # a pair has no modules to freeze or to look into
        own_key = None if key is None else consumer_key(key, "module:", 0)
        offer = {"training": training, "key": own_key, "states": states_form.own(states)}
        args, kwargs = bind_x(apply, x, f"module `{name}`", given=(*first_of_apply, *asked))
        given = parameters_form.own(parameters)
        results = apply(given, *args, **{**{name: offer[name] for name in asked}, **kwargs})
        if not has_states:
            return Applied(results, states, Extras())
        outputs, states = _two(results, name, "apply", "(outputs, states)")
        return Applied(outputs, states_form.named(states), Extras())

    def write(parameters: Any, states: Any) -> None:
        held[:] = [(parameters, states)]

    pair = (init, apply)
    return Functional(name, first, run, lambda: held[0] if held else ({}, {}), write, held.clear, lambda: pair)


class _Form:
    """The tree that two functions hand to each other, and the nested dicts that the rest of the library sees."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._structure: Any = None

    def named(self, tree: Any) -> dict[str, Any]:
        """Any tree as nested dicts, whose form is remembered."""
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(tree)
        self._paths = [jax.tree_util.keystr(path, simple=True, separator="/") or "0" for path, _ in leaves]
        return unflatten(dict(zip(self._paths, (leaf for _, leaf in leaves), strict=True)))

    def own(self, nested: Any) -> Any:
        """The tree of which `named` made nested dicts; as it is if it never did."""
        if self._structure is None:
            return nested
        flat = flatten(nested)
        return jax.tree.unflatten(self._structure, [flat[path] for path in self._paths])


def _two(results: Any, name: str, which: str, what: str) -> tuple[Any, Any]:
    if not isinstance(results, tuple) or len(results) != 2:
        raise TypeError(
            f"`apply` of the module `{name}` asks for `states`, so `{which}` returns `{what}`. It returned a "
            f"{short_type(results)}. Return both, or do not ask for `states`."
        )
    return results
