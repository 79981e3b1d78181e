"""The protocol that every module goes through: two pure functions, and two that read and write the user's object."""

import inspect
from collections.abc import Callable
from typing import Any

import jax

from .._paths import flatten, unflatten
from ._binding import bind_x
from ._initialize import initialize
from ._module import Module, arrays_on, places_of, run_module, split_arrays, tree_of
from ._pair import pair_functional
from ._protocol import Applied, Extras, Functional, Variables
from ._record import record_of
from ._scope import Scope, display_name, entered, running_scope


def as_functional(module: Any) -> Functional:
    """Anything that computes as two pure functions.

    Args:
        module: an `elegy.Module`, an object with `call` or `__call__`, a function, or a pair `(init, apply)`.

    Raises:
        TypeError: it is a class, a module of a library that is not supported, or nothing that can be called.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> functional = as_functional(lambda x: 2 * x)
        >>> functional.apply({}, {}, jnp.ones(2), key=None, training=False).outputs.tolist()
        [2.0, 2.0]
    """
    if isinstance(module, tuple) and len(module) == 2 and all(callable(part) for part in module):
        return pair_functional(*module)
    _refuse(module)
    root = module if isinstance(module, Module) else Root(module)
    call = _call_of(module)
    name = display_name(module)

    def run(x: Any, training: bool) -> Any:
        args, kwargs = bind_x(call, x, training, f"module `{name}`")
        return run_module(running_scope(), root, args, kwargs, call)

    return Functional(
        name=name,
        init=_init(root, run),
        apply=_apply(root, run),
        read=lambda: arrays_on(root),
        write=lambda parameters, states: _write(root, parameters, states),
        clear=lambda: _clear(root),
        module=module,
    )


class Root(Module):
    """Owns what is declared while a plain object or function runs.

    Args:
        target: the object or function; modules in its attributes are children.
    """

    def __init__(self, target: Any) -> None:
        self.target = target


def _init(root: Module, run: Callable[[Any, bool], Any]) -> Callable[..., Variables]:
    def init(key: jax.Array | None, x: Any) -> Variables:
        arrays, rebuild = split_arrays(x)
        initialize(root, lambda arrays, training: run(rebuild(arrays), training), arrays, key)
        return Variables(*arrays_on(root))

    return init


def _apply(root: Module, run: Callable[[Any, bool], Any]) -> Callable[..., Applied]:
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
        if not root.initialized:  # the arrays come from elsewhere; what the module is made of is found out first
            _init(root, run)(None, x)
        state_paths = flatten(states)
        values = {**flatten(parameters), **state_paths}
        scope = Scope(root, values, training=training, key=key, frozen=frozen, capture=capture)
        with entered(scope):
            outputs = run(x, training)
        after = unflatten({path: scope.values[path] for path in state_paths})
        return Applied(outputs, after, Extras(scope.captured or {}))

    return apply


def _write(root: Module, parameters: Any, states: Any) -> None:
    flat = {**flatten(parameters), **flatten(states)}
    for path, record, name in places_of(root):
        record.values[name] = flat[path]


def _clear(root: Module) -> None:
    for _, module in tree_of(root):
        record = record_of(module)
        record.values, record.initialized = {}, False


def _call_of(module: Any) -> Callable[..., Any]:
    own = getattr(module, "call", None)
    return own if callable(own) and not inspect.isfunction(module) else module


def _refuse(module: Any) -> None:
    if isinstance(module, type):
        raise TypeError(
            f"The class `{module.__name__}` was given as a module. A module is an instance. Write "
            f"`{module.__name__}(...)`, "
            "with parentheses."
        )
    library = next(
        (c.__module__.split(".")[0] for c in type(module).__mro__ if c.__module__.split(".")[0] in _GUESTS), None
    )
    if library:
        raise TypeError(
            f"`{type(module).__name__}` of `{library}` was given as a module. Its arrays would be constants here. "
            "Give it as a pair of functions `(init, apply)`."
        )
    if not callable(module) and not callable(getattr(module, "call", None)):
        raise TypeError(
            f"A {type(module).__name__} was given as a module. It has neither `call` nor `__call__`. Give an "
            "`elegy.Module`, "
            "an object with `call`, a function, or a pair `(init, apply)`."
        )


_GUESTS = ("flax", "equinox", "haiku", "torch", "keras")
