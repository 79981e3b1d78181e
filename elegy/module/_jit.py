"""`elegy.jit`: compile a function that uses modules as objects."""

import functools
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from .._config import difference, snapshot
from .._inject import wants
from .._names import name_of
from ._added import running_context
from ._bare import is_staged
from ._borrow import Borrowed, Counts, Left, borrowed, modules_of, roots_of
from ._scope import owner_of_traces, running_scope

_log = logging.getLogger("elegy")
_OWN = ("_static", "_values", "_counts")  # arguments in front of the user's
_SHIFTED = ("static_argnums", "donate_argnums")
_REFUSED = ("in_shardings", "out_shardings")


def jit(target: Callable[..., Any], modules: Any = None, **options: Any) -> "Jitted":
    """Compile a function that calls modules and changes them, as plain Python would.

    The arrays of the modules go in as arguments and what is new comes out, so running averages, `set_parameters` and
    `elegy.value_and_grad` inside work; parameters that were changed outside count in the next call, and each call has
    its own random numbers. One trace serves all calls with the same shapes and flags. If a module is not initialized,
    the first call traces the function once more to do that. Inside the call of another module it is a part of that
    call, which is compiled as a whole by whoever runs it.

    Args:
        target: a module or a function. What a function closes over besides modules is fixed when it is traced, as with
            `jax.jit`.
        modules: the modules that the function uses, those below them included: one, or a list, tuple or dict of them.
            Not needed for a module.
        **options: those of `jax.jit`, such as `static_argnums`; but no shardings. A flag `training` is always static.

    Returns:
        What is called like the target. When an attribute of a module was changed since the last call, it is compiled
        anew, and a warning of the logger `elegy` names the attribute.

    Raises:
        ValueError: a function comes without modules, or an option is a sharding. When called: the function calls a
            module with arrays that is not among `modules`.
        TypeError: something among the modules is none.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> linear = elegy.nn.Linear(1)
        >>> import functools
        >>> @functools.partial(elegy.jit, modules=linear)
        ... def update(x, y):
        ...     def loss(): return jnp.square(linear(x) - y).mean()
        ...     value, gradient = elegy.value_and_grad(loss, linear)()
        ...     linear.set_parameters({n: p - 0.5 * gradient[n] for n, p in linear.parameters.items()})
        ...     return value
        >>> x = jnp.array([[-1.0], [1.0]])
        >>> values = [update(x, 3 * x) for _ in range(20)]
        >>> bool(values[-1] < 1e-6)
        True
    """
    return Jitted(target, modules_of(target, modules, "jit"), options)


class Jitted:
    """A function under `elegy.jit`.

    Args:
        target: a module or a function.
        modules: its modules.
        options: those of `jax.jit`.
    """

    def __init__(self, target: Callable[..., Any], modules: Any, options: dict[str, Any]) -> None:
        for name in _REFUSED:
            if name in options:
                raise ValueError(
                    f"`elegy.jit` was given `{name}`. The arrays of the modules are arguments too, which it does not "
                    "name. Use `jax.jit` of `module.apply`."
                )
        functools.update_wrapper(self, target, updated=())
        self._target = target
        self._modules = modules
        self._roots = roots_of(modules, "`elegy.jit`")
        self._signature = _signature(target)
        self._options = {**options, **{name: _shifted(options[name]) for name in _SHIFTED if name in options}}
        names = options.get("static_argnames") or ()
        named = _places(self._signature, (names,) if isinstance(names, str) else names)
        self._options["static_argnums"] = (0, *self._options.get("static_argnums", ()), *named)
        self._programs: list[tuple[list[dict[str, Any]], Callable[..., Any]]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the compiled function, and put what it changed onto the modules."""
        if running_scope() is not None or is_staged():  # what runs is compiled as a whole by somebody else
            return self._target(*args, **kwargs)
        modules = borrowed(self._modules, "`elegy.jit`", self._target, args, kwargs)
        flags, args, kwargs = self._without_flags(args, kwargs)
        program = self._program()
        static = (flags, running_context() is not None, modules.learning())
        outputs, left = program(static, modules.values(), modules.counts(), *args, **kwargs)
        modules.give_back(left)
        return outputs

    def _without_flags(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, ...], Any]:
        """The flags `training`, and the arguments without them."""
        names = wants(getattr(self._target, "call", self._target)).positional
        place = names.index("training") if "training" in names[: len(args)] else None
        flags = []
        if place is not None and _is_flag(args[place]):
            flags.append((place, args[place]))
            args = (*args[:place], None, *args[place + 1 :])
        if "training" in kwargs and _is_flag(kwargs["training"]):
            flags.append(("training", kwargs["training"]))
            kwargs = {name: value for name, value in kwargs.items() if name != "training"}
        return tuple(flags), args, kwargs

    def _program(self) -> Callable[..., Any]:
        """The program for the configuration as it is now; a new one if it changed."""
        config = snapshot(self._roots)
        for configs, program in self._programs:
            if any(difference(known, config) is None for known in configs):
                return program
        if self._programs:
            change = difference(self._programs[-1][0][-1], config)
            _log.warning("%s since `%s` was compiled; it is compiled anew.", change, name_of(self._target))
        configs = [config]
        program = self._traced(configs)
        self._programs.append((configs, program))
        return program

    def _traced(self, configs: list[dict[str, Any]]) -> Callable[..., Any]:
        def traced(static: Any, values: Any, counts: Counts, *args: Any, **kwargs: Any) -> tuple[Any, Left]:
            for place, flag in static[0]:
                if isinstance(place, int):
                    args = (*args[:place], flag, *args[place + 1 :])
                else:
                    kwargs = {**kwargs, place: flag}
            modules = Borrowed(self._modules, "`elegy.jit`")
            with owner_of_traces(object()), modules.lent(values, counts, is_compiled=True) as left:
                outputs = self._target(*args, **kwargs)
                made = outputs, left()
            configs.append(snapshot(self._roots))  # what the function itself changes while it is traced is no change
            return made

        traced.__name__ = traced.__qualname__ = name_of(self._target)  # as profiles and logs show it
        vars(traced)["__signature__"] = self._signature
        return jax.jit(traced, **self._options)


def _is_flag(value: Any) -> bool:
    return value is None or isinstance(value, (bool, np.bool_))


def _shifted(numbers: Any) -> tuple[int, ...]:
    """Numbers of the user's arguments, behind the own ones."""
    numbers = () if numbers is None else (numbers,) if isinstance(numbers, int) else tuple(numbers)
    return tuple(number if number < 0 else number + len(_OWN) for number in numbers)


def _places(signature: inspect.Signature, names: Iterable[str]) -> list[int]:
    """The numbers of arguments that are static by name, for when they are given by position."""
    positional = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return [n for n, part in enumerate(signature.parameters.values()) if part.name in names and part.kind in positional]


def _signature(target: Any) -> inspect.Signature:
    """The target's signature behind the own arguments; JAX finds the names of static arguments by it."""
    own = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in _OWN]
    try:
        parameters = [*inspect.signature(getattr(target, "call", target)).parameters.values()]
    except (TypeError, ValueError):
        kinds = {"args": inspect.Parameter.VAR_POSITIONAL, "kwargs": inspect.Parameter.VAR_KEYWORD}
        parameters = [inspect.Parameter(name, kind) for name, kind in kinds.items()]
    return inspect.Signature([*own, *parameters])
