"""The protocol that every module goes through: two pure functions, and two that read and write the user's object."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
from jax.core import Tracer

from .._paths import flatten, unflatten
from ._binding import bind_x
from ._call import run_module
from ._initialize import Run, declare, initialize
from ._lift import Lifted, module_of
from ._module import Module
from ._pair import pair_functional
from ._places import arrays_on, forget_arrays, is_declared, put_arrays, split_arrays
from ._protocol import Applied, Functional, Variables
from ._record import display_name
from ._scope import Scope, entered
from ._trainable import frozen_patterns


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
        for part in module:
            _refuse(part)
        return pair_functional(*module)
    _refuse(module)
    below = module_of(module)
    root = Root(module) if below is None else below
    call = _call_of(module if below is None else below)
    name = display_name(module)

    def run(scope: Scope, x: Any) -> Any:
        args, kwargs = bind_x(call, x, f"module `{name}`")
        if isinstance(module, Lifted) and below is not None:
            return module.run_as_root(scope, root, args, kwargs)
        return run_module(scope, root, args, kwargs, call)

    return Functional(
        name=name,
        init=_init(root, run),
        apply=_apply(root, run),
        read=lambda: arrays_on(root),
        write=lambda parameters, states: put_arrays(root, parameters, states),
        clear=lambda: forget_arrays(root),
        module=lambda: module,
        frozen=lambda: frozen_patterns(root),
    )


class Root(Module):
    """Owns what is declared while a plain object or function runs.

    Args:
        target: the object or function; modules in its attributes are children.
    """

    __elegy_root__ = True

    def __init__(self, target: Any) -> None:
        self._stands_for = target


def _init(root: Module, run: Callable[[Scope, Any], Any]) -> Callable[..., Variables]:
    def init(key: jax.Array, x: Any) -> Variables:
        arrays, traced = _traceable(run, x)
        parameters, states = initialize(root, traced, arrays, key)
        # Under a transform that brought the key, what was made belongs to the transform and must not stay behind.
        if not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((parameters, states))):
            put_arrays(root, parameters, states)
        return Variables(parameters, states)

    return init


def _apply(root: Module, run: Callable[[Scope, Any], Any]) -> Callable[..., Applied]:
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
        if not is_declared(root):  # the arrays come from elsewhere; what the module is made of is found out first
            arrays, traced = _traceable(run, x)
            declare(root, traced, arrays)
        state_paths = flatten(states)
        values = {**flatten(parameters), **state_paths}
        scope = Scope(root, values, training=training, key=key, frozen=frozen, capture=capture)
        with entered(scope):
            outputs = run(scope, x)
        after = unflatten({path: scope.values[path] for path in state_paths})
        return Applied(outputs, after, scope.extras)

    return apply


def _traceable(run: Callable[[Scope, Any], Any], x: Any) -> tuple[list[Any], Run]:
    """The arrays of `x`, and how to run a scope on others in their places."""
    arrays, rebuild = split_arrays(x)
    return arrays, lambda scope, arrays: run(scope, rebuild(arrays))


def _call_of(module: Any) -> Callable[..., Any]:
    own = getattr(module, "call", None)
    return own if callable(own) and not inspect.isfunction(module) else module


def _refuse(module: Any) -> None:
    if isinstance(module, type):
        raise TypeError(
            f"The class `{module.__name__}` was given as a module. A module is an instance. "
            f"Write `{module.__name__}(...)`, with parentheses."
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
            "`elegy.Module`, an object with `call`, a function, or a pair `(init, apply)`."
        )


_GUESTS = ("flax", "equinox", "haiku", "torch", "keras")
