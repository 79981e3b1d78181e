"""Equinox as a guest: an immutable module is taken apart once when training starts, and put together when one looks."""

import types
from collections.abc import Callable
from typing import Any

import jax

from .._errors import short_type
from .._inject import Wants, wants
from .._names import name_of
from .._paths import flatten, unflatten
from ..module import Applied, Extras, Functional, Variables, consumer_key
from ..module._binding import bind_x, with_training
from ._equinox_split import Split, has_state_indices, split_of


def equinox_functional(given: Any) -> Functional:
    """The protocol for an Equinox module as it is.

    Inexact arrays are parameters and other arrays states, at the paths of their fields: `layers/0/weight`. The entries
    of its `eqx.nn.State` are states too, at the paths of their `StateIndex`: `norm/batch_state_index/0`. Everything
    else stays as it is. The call may ask by name for `state`, if there is one (then it returns `(outputs, state)`), for
    `training`, and for `key`, which it gets in training, and always where it has no default. In training the module
    runs with the `inference` flags that it was given with, otherwise in `eqx.nn.inference_mode`; so do layers all of
    whose parameters are frozen.

    Args:
        given: a module, or a method of one, or a pair of these and an `eqx.nn.State`.

    Raises:
        TypeError, ValueError: module and state do not belong together, or nothing there can be called.
    """
    parts: tuple[Any, Any] = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    call, state = parts
    module, method = (call.__self__, call.__func__) if isinstance(call, types.MethodType) else (call, None)
    _require_kinds(given, module, state)
    name = name_of(module)
    _require_callable(name, call)
    _require_matching(name, module, wants(call), state)
    split = split_of(name, module, state)
    held, rest = _Held(split), split.without_arrays()

    def call_of(module: Any) -> Callable[..., Any]:
        return module if method is None else types.MethodType(method, module)

    def look() -> Any:
        module, newest = split.joined(held.arrays())
        return call_of(module) if state is None else (call_of(module), newest)

    return Functional(
        name=name,
        init=held.init,
        apply=_apply(name, call, call_of, split),
        read=held.read,
        write=held.write,
        clear=held.clear,
        module=look,
        config=lambda: rest,
        captures=False,
        per_sample=True,
    )


class _Held:
    """The newest arrays of a module that cannot hold them itself."""

    def __init__(self, split: Split) -> None:
        self._first = self._newest = split.first_arrays()

    def init(self, key: jax.Array, x: Any) -> Variables:
        """What there is already; Equinox modules are born with their arrays."""
        del key, x
        return Variables(*self._newest)

    def read(self) -> tuple[Any, Any]:
        """Parameters and states as they were last written."""
        return self._newest

    def write(self, parameters: Any, states: Any) -> None:
        """Keep others."""
        self._newest = (parameters, states)

    def clear(self) -> None:
        """Go back to the first ones."""
        self._newest = self._first

    def arrays(self) -> dict[str, Any]:
        """By path parameters and states."""
        return {**flatten(self._newest[0]), **flatten(self._newest[1])}


def _apply(
    name: str, call: Callable[..., Any], call_of: Callable[[Any], Callable[..., Any]], split: Split
) -> Callable[..., Applied]:
    asked = wants(call)

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
        if capture:
            raise ValueError(
                f"The outputs inside module `{name}` were asked for. Equinox modules do not tell what those inside "
                "them return. Return what you need from the module itself, for example in a dict."
            )
        before = flatten(states)
        module, state = split.joined({**flatten(parameters), **before}, training=training, frozen=frozen)
        given = ("training", "key") if state is None else ("training", "key", "state")
        args, kwargs = bind_x(call, x, f"module `{name}`", given=given)
        kwargs = with_training(call, args, kwargs, training and not split.rests("", frozen))
        # Many calls take `key=None` as the sign that they do not train.
        if "key" in asked.required or ("key" in asked.names and training and key is not None):
            kwargs.setdefault("key", None if key is None else consumer_key(key, "module:", 0))
        if state is None:
            return Applied(call_of(module)(*args, **kwargs), states, Extras())
        made = call_of(module)(*args, **{**kwargs, "state": state})
        _require_pair(name, made, state)
        after = _checked(name, before, split.state_arrays(made[1]))
        return Applied(made[0], unflatten({**before, **after}), Extras())

    return apply


def _require_kinds(given: Any, module: Any, state: Any) -> None:
    import equinox as eqx

    if isinstance(module, eqx.Module) and (state is None or isinstance(state, eqx.nn.State)):
        return
    parts = given if isinstance(given, tuple) else (given,)
    raise TypeError(
        f"`Model` was given {' and '.join(type(part).__name__ for part in parts)}. Of Equinox it takes a module, or "
        "a pair `(module, state)`. Give what `eqx.nn.make_with_state(Net)(...)` returns, or the module alone."
    )


def _require_callable(name: str, call: Any) -> None:
    if not callable(call):
        raise TypeError(
            f"The Equinox module `{name}` was given as a module. It has no `__call__`. Give it one, or give the method "
            "that is to run."
        )


def _require_matching(name: str, module: Any, asked: Wants, state: Any) -> None:
    """Raise unless a state was given exactly where the module needs one."""
    cls = type(module).__name__
    if state is None and has_state_indices(module):
        raise ValueError(
            f"The Equinox module `{name}` was given without its state. It keeps some in `eqx.nn.StateIndex`. Give "
            f"both: `Model(eqx.nn.make_with_state({cls})(...), ...)`."
        )
    if state is not None and "state" not in asked.names:
        raise ValueError(
            f"The Equinox module `{name}` was given with a state. Its call does not ask for `state`. Give the module "
            "alone, or let the call take `state` and return `(outputs, state)`."
        )


def _require_pair(name: str, made: Any, state: Any) -> None:
    is_pair = isinstance(made, tuple) and len(made) == 2 and isinstance(made[1], type(state))
    if not is_pair:
        raise TypeError(
            f"module `{name}` was called with its state. It returned {type(made).__name__} instead of a pair of "
            "outputs and state. Return `(outputs, state)`."
        )


def _checked(name: str, before: dict[str, Any], after: dict[str, Any] | None) -> dict[str, Any]:
    """The state afterwards by path, if it is made as the one before."""
    if after is None:
        raise ValueError(
            f"module `{name}` returned a state with other entries than it was called with. A state keeps its "
            "structure. Return what `state.set` or `state.update` made of the one that was given."
        )
    for path, leaf in after.items():
        if short_type(leaf) != short_type(before[path]):
            raise ValueError(
                f"module `{name}` returned `{path}` as {short_type(leaf)}. It was {short_type(before[path])} before. "
                "A state keeps shape and dtype; cast it."
            )
    return after
