"""One call of an NNX module: put together from arrays and keys, run, and looked at afterwards."""

import functools
import inspect
import types
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import get_opaque_trace_state

from .._errors import listing, short_type
from ..module import consumer_key
from ._nnx_graph import EVALUATING, PASSING, PLAIN, STATES, STREAM, Mode, Part, arrays_of, path_of, taken_apart


def put_together(mode: Mode, arrays: Mapping[str, Any], key: jax.Array | None) -> Any:
    """A module of its own for one call, with the given arrays and random keys."""
    from flax import nnx

    values = []
    for part in mode.parts:
        if part.is_ours:
            value = jax.tree.unflatten(part.structure, [arrays[path] for path in part.paths])
        elif part.kind == STREAM and key is not None:
            value = _restarted(part, key)
        else:  # what modules sow starts anew with each call
            value = () if part.kind == PASSING and isinstance(part.held, tuple) else part.held
        values.append((part.steps, value))
    return nnx.merge(mode.definition, nnx.FlatState(values, sort=False))


def run(
    module: Any,
    method: Callable[..., Any] | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    resting: Collection[Any],
    capture: bool,
) -> tuple[Any, dict[str, Any]]:
    """Call a module that nobody else has.

    Args:
        module: it is changed.
        method: the function of its class that runs; None is `__call__`.
        args: go to the call.
        kwargs: go to the call.
        resting: where modules are that do not train, whatever the call tells them.
        capture: whether the outputs of modules are kept.

    Returns:
        The outputs, and by path those of each module if they were kept.
    """
    from flax import nnx

    kept: dict[str, Any] = {}
    trace = get_opaque_trace_state()
    for steps, node in list(nnx.iter_modules(module, graph=True)) if capture or resting else ():
        if callable(node) and (capture or steps in resting):
            keep = functools.partial(_keep, kept, path_of(steps), trace) if capture else None
            _intercept(node, functools.partial(_around, keep, steps in resting))
    with warnings.catch_warnings():
        # What modules `sow` lands on this copy, to be read or dropped; `nnx.capture`, which the warning asks for, puts
        # an attribute on each module that those of type `nnx.Dict` take for one of their items.
        warnings.filterwarnings("ignore", r"\s*(Using 'Module\.(sow|perturb)\(\)' outside)", DeprecationWarning)
        return (module if method is None else types.MethodType(method, module))(*args, **kwargs), kept


def after_call(mode: Mode, arrays: Mapping[str, Any], module: Any, who: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """By path the states of a module after its call, and the intermediate values that it left.

    Args:
        mode: what the module was put together from.
        arrays: with these.
        module: it, after the call.
        who: how errors call it.

    Raises:
        ValueError: the call made or removed variables, changed shapes, or set an array that is no variable.
    """
    found = {path_of(part.steps): (part, leaf) for part, leaf in taken_apart(module)[1]}
    before = {path_of(part.steps): part for part in mode.parts}
    left = {path: leaf.get_value() for path, (part, leaf) in found.items() if part.kind == PASSING}
    _require_same(before, found, who)
    states: dict[str, Any] = {}
    for path, part in before.items():
        if part.kind == STATES:
            states.update(_kept(part, *found[path], arrays, who))
    return states, left


def _around(keep: Callable[[Any], None] | None, rests: bool, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    if rests:
        given = inspect.signature(call).bind(*args, **kwargs)
        told = [name for name in EVALUATING if given.arguments.get(name) is not None]
        given.arguments.update({name: EVALUATING[name] for name in told})
        args, kwargs = given.args, given.kwargs
    outputs = call(*args, **kwargs)
    if keep is not None:
        keep(outputs)
    return outputs


def _keep(kept: dict[str, Any], path: str, trace: Any, outputs: Any) -> None:
    if get_opaque_trace_state() == trace:  # outputs inside a raw transform cannot leave it
        kept[path] = outputs


def _intercept(node: Any, around: Callable[..., Any]) -> None:
    """Let calls of one module go through `around`; its class stays as it is for all others."""
    object.__setattr__(node, "__class__", _intercepted(type(node)))
    object.__setattr__(node, _AROUND, around)


@functools.cache
def _intercepted(cls: type) -> type:
    """A subclass whose instances call what `_intercept` gave them; one for each class, since JAX keeps it for good."""
    inner: Callable[..., Any] = cls.__call__

    @functools.wraps(inner)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, _AROUND)(functools.partial(inner, self), args, kwargs)

    namespace = {"__call__": __call__, "__module__": cls.__module__, "__qualname__": cls.__qualname__}
    is_pytree = getattr(cls, "_pytree__is_pytree", True)
    return type(cls)(cls.__name__, (cls,), namespace, pytree=is_pytree)


def _require_same(before: Mapping[str, Part], found: Mapping[str, tuple[Part, Any]], who: str) -> None:
    """Raise if a call made or removed variables, or set an array that is none; intermediate values come and go."""
    for path in [*found, *before]:
        part, (now, leaf) = before.get(path), found.get(path, (None, None))
        if part is None and now is not None and now.kind != PASSING:
            raise ValueError(
                f"{who} makes `{path}` while it is called, {_kind_in_words(now, leaf)}. A module of `flax.nnx` has all "
                "its variables when it is made. Make it in `__init__`."
            )
        if now is None and part is not None and part.kind != PASSING:
            raise ValueError(
                f"{who} removes `{path}` while it is called. A module keeps its variables: {listing(before)}. Set what "
                "they hold instead."
            )
        if part is not None and part.kind == PLAIN and leaf is not part.held:
            raise ValueError(
                f"{who} sets `{path}` while it is called, which is no variable. Only variables are kept from one call "
                "to the next. Make it an `nnx.Variable`."
            )


def _kind_in_words(part: Part, leaf: Any) -> str:
    return "an array" if part.kind == PLAIN else f"a variable of type `{type(leaf).__name__}`"


def _restarted(part: Part, key: jax.Array) -> Any:
    """The key of a stream from the step's key and the stream's path, and its count from zero."""
    if not jnp.issubdtype(part.held.dtype, jax.dtypes.prng_key):
        return jnp.zeros_like(part.held)
    shape = jax.eval_shape(jax.random.key_data, part.held).shape
    bits = jax.random.bits(consumer_key(key, f"module:{path_of(part.steps)}", 0), shape, np.uint32)
    return jax.random.wrap_key_data(bits, impl=jax.random.key_impl(part.held))


def _kept(part: Part, now: Part, leaf: Any, before: Mapping[str, Any], who: str) -> dict[str, Any]:
    """By path the arrays of a state after the call, in the dtypes that they had."""
    after = arrays_of(now, leaf)
    for path in [*part.paths, *now.paths]:
        old, new = before.get(path), after.get(path)
        if old is None or new is None or old.shape != new.shape or not _holds(old.dtype, new.dtype):
            raise ValueError(
                f"{who} sets `{path}` to {_shown(new)} while it is called. Before the call it is {_shown(old)}. "
                "A state keeps its shape and dtype; make it as it will be, in `__init__`."
            )
    return {path: after[path].astype(before[path].dtype) for path in part.paths}


def _holds(dtype: Any, other: Any) -> bool:
    """Whether values of another dtype fit into one, so that a state may keep its own."""
    return dtype == other or jnp.promote_types(dtype, other) == dtype


def _shown(array: Any) -> str:
    return "nothing" if array is None else short_type(array)


_AROUND = "_pytree__elegy_around"  # attributes of that prefix are passed over where NNX lists what a module holds
