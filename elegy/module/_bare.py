"""A module that is called by itself: initialized at the first call, with keys of its own, keeping new states."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.extend.core import get_opaque_trace_state

from .._errors import listing
from .._inject import wants
from .._paths import flatten, unflatten
from ._added import running_context
from ._call import run_module
from ._initialize import Run, declare, initialize
from ._keys import INIT, TRAIN, domain_key
from ._overlay import calls_before, overlay_of, running_overlay
from ._places import arrays_on, is_declared, is_initialized, places_of, put_arrays, split_arrays, tree_of
from ._record import display_name, record_of, stored_record
from ._rng import bare_counters, bare_seed, refuse_new_parameters
from ._scope import Scope, entered
from ._trainable import frozen_patterns

Runs = Callable[[Scope, Any, tuple[Any, ...], dict[str, Any]], Any]
"""Runs a module in a scope; `run_module`, or that under a transform."""


def call_bare(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], run: Runs = run_module) -> Any:
    """Run a module with the arrays it holds, which are made if there are none, and keep new states.

    Args:
        module: an `elegy.Module`.
        args: go to its call.
        kwargs: go to its call; `training=False` also where it does not name that.
        run: runs it.
    """
    kwargs = dict(kwargs)
    training = kwargs.get("training") is not False
    if "training" not in wants(module.call).names:
        kwargs.pop("training", None)
    record_of(module).calls += 1
    first, count = bare_counters(record_of(module).calls + calls_before(module))
    if not is_initialized(module):
        refuse_new_parameters(module)
        traced, arrays = traceable(module, args, kwargs, run)
        # Under a transform that did not bring the key, initial values are still made now, not traced into it.
        is_concrete = not any(isinstance(part, Tracer) for part in (first, bare_seed()))
        with jax.ensure_compile_time_eval() if is_concrete else contextlib.nullcontext():
            key = domain_key(bare_seed(), INIT, first)
        put_arrays(module, *initialize(module, traced, arrays, key))
        _note_birth(module)
    _refuse_constants(module)
    key = domain_key(bare_seed(), TRAIN, count)
    _note_transform(module, key)
    why = _why_no_key(module, key, count)
    outputs, states = run_on(
        module, *arrays_on(module), args, kwargs, training=training, key=None if why else key, why_no_key=why, run=run
    )
    _keep(module, states)
    return outputs


def run_on(
    module: Any,
    parameters: Any,
    states: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    training: bool,
    key: jax.Array | None,
    why_no_key: str = "",
    run: Runs = run_module,
) -> tuple[Any, dict[str, Any]]:
    """Run a module on given arrays; its outputs, and the states afterwards."""
    if not is_declared(module):  # the arrays come from elsewhere; what the module is made of is found out first
        declare(module, *traceable(module, args, kwargs, run))
    state_paths = flatten(states)
    values = {**flatten(parameters), **state_paths}
    frozen = frozen_patterns(module)
    scope = Scope(module, values, training=training, key=key, frozen=frozen, why_no_key=why_no_key)
    with entered(scope):
        outputs = run(scope, module, args, kwargs)
    context = running_context()
    if context is not None:
        context.take(scope.extras, f"module `{display_name(module)}`")
    return outputs, unflatten({path: scope.values[path] for path in state_paths})


def traceable(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], run: Runs = run_module
) -> tuple[Run, list[Any]]:
    """How to run a scope on other arrays than those among the arguments, and the latter."""
    arrays, rebuild = split_arrays((args, {name: value for name, value in kwargs.items() if name != "training"}))
    return lambda scope, arrays: run(scope, module, *rebuild(arrays)), arrays


def is_staged() -> bool:
    """Whether what runs here is traced by a raw JAX transform such as `jax.jit`, which runs it any number of times."""
    overlay = running_overlay()
    if overlay is not None and not overlay.is_inside_transform():
        return False
    return get_opaque_trace_state() != _OUTSIDE and isinstance(jax.lax.neg(np.int32(1)), Tracer)


def refuse_leak(module: Any, path: str, value: Any) -> None:
    """Raise if a value that is to be kept on a module belongs to a raw JAX transform.

    Raises:
        ValueError: it does.
    """
    overlay = overlay_of(module)
    if isinstance(value, Tracer) and (overlay is None or overlay.is_inside_transform()):
        raise ValueError(
            f"The module `{display_name(module)}` updates `{path}` inside a JAX transform such as `jax.jit` or "
            "`jax.grad`. The new value would leak out of it. Use `elegy.jit`, `elegy.grad` or "
            "`elegy.value_and_grad` with the module among their `modules`, or "
            "`module.apply(parameters, states, ...)`."
        )


def _note_birth(module: Any) -> None:
    """Tell the overlays around what a module began with: the states of its first call are traced there."""
    overlay = running_overlay()
    while overlay is not None:
        overlay.born.update({id(part): (part, record_of(part).copy()) for _, part in tree_of(module)})
        overlay = overlay.around


def _note_transform(module: Any, key: jax.Array) -> None:
    """Note on the module that a raw JAX transform, which may be remembered, reads its arrays."""
    overlay = running_overlay()
    while overlay is not None and not overlay.is_compiled and not overlay.is_rehearsal:
        overlay = overlay.around
    if overlay is None and isinstance(key, Tracer):
        stored_record(module).is_traced_bare = True


def _refuse_constants(module: Any) -> None:
    overlay = running_overlay()
    if overlay is None or not overlay.is_compiled or overlay_of(module) is not None or not any(arrays_on(module)):
        return
    named = [display_name(part) for part, _ in overlay.records.values()]
    raise ValueError(
        f"The module `{display_name(module)}` is called in a function that `elegy.jit` was given. Its `modules` are: "
        f"{listing(named)}. The arrays of another one would be constants. Add it to `modules=`."
    )


def _why_no_key(module: Any, key: jax.Array, count: Any) -> str:
    """Why each run of what is being traced here would draw the same numbers; empty if it would not."""
    overlay = running_overlay()
    if overlay is not None and overlay.is_rehearsal:
        return ""
    is_fixed = isinstance(key, Tracer) and not any(isinstance(part, Tracer) for part in (count, bare_seed()))
    if not is_fixed and (overlay is None or not overlay.is_inside_transform()):
        return ""
    return (
        f"The module `{display_name(module)}` was called by itself inside a JAX transform such as `jax.jit`, where "
        "each run would get the same one. Use `elegy.jit` with the module among its `modules`, or "
        "`module.apply(parameters, states, ..., key=key)`."
    )


def _keep(module: Any, states: Mapping[str, Any]) -> None:
    """Store new states after a call by itself."""
    flat, overlay = flatten(states), running_overlay()
    if overlay is not None and overlay.is_rehearsal and overlay_of(module) is None:
        return
    new = {
        path: (record, name, flat[path])
        for path, record, name in places_of(module)
        if path in flat and flat[path] is not record.values[name]
    }
    for path, (_, _, value) in new.items():
        refuse_leak(module, path, value)
    for record, name, value in new.values():
        record.values[name] = value


_OUTSIDE = get_opaque_trace_state()
