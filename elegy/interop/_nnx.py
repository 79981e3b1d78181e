"""Modules of Flax NNX as two pure functions."""

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

import jax

from .._errors import listing
from .._logs import Logs
from .._names import name_of
from .._paths import flatten, unflatten
from ..module import Applied, Extras, Functional, Variables
from ..module._binding import bind_x, with_training
from ._nnx_call import after_call, put_together, run
from ._nnx_graph import PARAMETERS, STATES, Mode, Modes, arrays_of, put, taken_apart


def nnx_functional(given: Any) -> Functional:
    """The protocol for a module of Flax NNX.

    Each `nnx.Param` is a parameter; every other variable is a state, except for `nnx.Intermediate` and the streams of
    `nnx.Rngs`: random keys follow from the model's seed, the stream's path and the step, whatever the streams counted
    before. A value that a call sets in an `nnx.Param` holds for that call. The module starts with the values it holds;
    `clear` gives it back those with which its training began.

    The module is taken apart, and put together again as a copy that trains or evaluates, while a step is traced; the
    object itself is only read and written. With `capture` the outputs of modules are kept by path, and what they `sow`
    as `nnx.Intermediate`. A module whose own parameters are all frozen evaluates.

    Args:
        given: an `nnx.Module` with `__call__`, or a method of one.

    Raises:
        TypeError: it is neither.
    """
    module = given.__self__ if isinstance(given, types.MethodType) else given
    _refuse(module, given)
    first: dict[str, Any] = {}

    def init(key: jax.Array, x: Any) -> Variables:
        del key, x  # the module brings its arrays
        parameters, states = _read(module)
        for path, leaf in {**flatten(parameters), **flatten(states)}.items():
            first.setdefault(path, leaf)
        return Variables(parameters, states)

    def clear() -> None:
        _write(module, first)
        first.clear()

    return Functional(
        name=name_of(module),
        init=init,
        apply=_apply(module, given),
        read=lambda: _read(module),
        write=lambda parameters, states: _write(module, {**flatten(parameters), **flatten(states)}),
        clear=clear,
        module=lambda: given,
        config=lambda: _config(module),
    )


def _apply(module: Any, call: Any) -> Callable[..., Applied]:
    method = call.__func__ if isinstance(call, types.MethodType) else None
    modes, who = Modes(module), f"module `{name_of(module)}`"

    def apply(
        parameters: Any,
        states: Any,
        x: Any,
        *,
        key: jax.Array | None,
        training: bool,
        frozen: tuple[str, ...] = (),
        capture: bool = False,
    ) -> Applied:
        mode = modes.get(training, frozen)
        arrays = _fitting(mode, flatten(parameters), flatten(states), who)
        args, kwargs = bind_x(call, x, who)
        kwargs = with_training(call, args, kwargs, training and () not in mode.resting)
        copy = put_together(mode, arrays, key)
        outputs, kept = run(copy, method, args, kwargs, resting=mode.resting, capture=capture)
        after, left = after_call(mode, arrays, copy, who)
        return Applied(outputs, unflatten(after), Extras(intermediates=Logs({**kept, **left} if capture else {})))

    return apply


def _read(module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {PARAMETERS: {}, STATES: {}}
    for part, leaf in taken_apart(module)[1]:
        if part.is_ours:
            found[part.kind].update(arrays_of(part, leaf))
    return unflatten(found[PARAMETERS]), unflatten(found[STATES])


def _write(module: Any, arrays: Mapping[str, Any]) -> None:
    for part, leaf in taken_apart(module)[1]:
        if part.is_ours and set(part.paths) <= arrays.keys():
            put(part, leaf, arrays)


def _refuse(module: Any, given: Any) -> None:
    from flax import nnx

    kind = type(module).__name__
    if not isinstance(module, nnx.Module):
        raise TypeError(
            f"A `{kind}` of `flax.nnx` was given as a module. It is no `nnx.Module`. Derive its class from that."
        )
    if not callable(given):
        own = [name for name, part in vars(type(module)).items() if callable(part) and not name.startswith("_")]
        raise TypeError(
            f"`{kind}` of `flax.nnx` was given as a module. It has no `__call__`; its methods are: {listing(own)}. "
            "Give one of these, or write a `__call__`."
        )


def _fitting(mode: Mode, parameters: dict[str, Any], states: dict[str, Any], who: str) -> dict[str, Any]:
    """The arrays that a module is put together with.

    Raises:
        ValueError: they are not those of its variables.
    """
    given = {**{path: PARAMETERS for path in parameters}, **{path: STATES for path in states}}
    wanted = {path: kind for kind in (PARAMETERS, STATES) for path in mode.paths(kind)}
    for path in [*wanted, *given]:
        if wanted.get(path) != given.get(path):
            raise ValueError(
                f"{who} has `{path}` among its {wanted.get(path, 'other attributes')}, and the model has it among its "
                f"{given.get(path, 'missing arrays')}. The module has the variables: {listing(wanted)}. Call "
                "`model.reset()` after changing which variables a module has."
            )
    return {**parameters, **states}


def _config(module: Any) -> dict[str, Any]:
    """By path what a compiled step bakes in: types, attributes, and arrays that are no variables.

    It is read by every verb, so it does not go through NNX, whose graph takes several times as long.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def walk(value: Any, path: str) -> None:
        is_node, is_variable = _roles(type(value))
        if is_variable:
            found[path] = {"type": type(value), **value.get_metadata()}
        elif not is_node and not isinstance(value, (list, tuple, dict)):
            found[path] = value
        elif id(value) not in seen:
            seen.add(id(value))
            parts = vars(value) if is_node else value if isinstance(value, dict) else dict(enumerate(value))
            own = {str(name): part for name, part in parts.items() if not str(name).startswith("_pytree__")}
            found.update({path: type(value)} if path else {})
            for name, part in own.items():
                walk(part, f"{path}/{name}" if path else name)

    walk(module, "")
    return found


@functools.cache
def _roles(cls: type) -> tuple[bool, bool]:
    """Whether objects of a class are nodes of NNX's graph, and whether they are its variables."""
    from flax import nnx

    return issubclass(cls, nnx.Pytree), issubclass(cls, nnx.Variable)
