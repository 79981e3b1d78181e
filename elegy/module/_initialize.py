"""Initialization: trace a call to see what it declares, make the first values, commit only if all went well."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from .._errors import short_type
from .._paths import unflatten
from ..compiling import DRAWS_ONLY, rewritten
from ._children import require_sound
from ._keys import INIT, consumer_keys, domain_key
from ._parameter import Spec, stacked_value
from ._places import below, places_of, tree_of
from ._record import Record, children_in_attributes, children_of, keep_record
from ._scope import RetraceError, Scope, entered
from ._trainable import settle_trainable

Run = Callable[[Scope, Any], Any]
"""Runs a module in a scope on inputs."""
Records = dict[int, tuple[Any, Record]]
_ANY_SEED = np.zeros(2, np.uint32)  # where only shapes count


def declare(root: Any, run: Run, inputs: Any) -> None:
    """Find out what there is below `root`, for arrays that come from elsewhere; a failure leaves nothing behind.

    Args:
        root: the outermost module.
        run: runs it in a scope on inputs.
        inputs: arrays, or their shapes.

    Raises:
        ValueError, ModuleOrderError: the module's declarations contradict each other.
    """
    _commit(root, _traced(root, run, inputs, domain_key(_ANY_SEED, INIT, 0)))


def initialize(
    root: Any, run: Run, inputs: Any, key: jax.Array, *, anew: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Declare everything below `root` and make its first values; a failure leaves nothing behind.

    Args:
        root: the outermost module.
        run: runs it in a scope on inputs.
        inputs: arrays, or their shapes.
        key: the key of the initial values.
        anew: make values also for what holds some.

    Returns:
        Parameters and states as nested dicts; the modules do not hold the new ones yet.

    Raises:
        ValueError, ModuleOrderError: the module's declarations contradict each other, or the arrays it holds do not
            fit the inputs.
    """
    records = _traced(root, run, inputs, key)
    values = _values(_specs(root, records), key, anew)
    _commit(root, records)
    trainable = {path for path, record, name in places_of(root) if record.specs[name].trainable}
    parameters = {path: value for path, value in values.items() if path in trainable}
    return unflatten(parameters), unflatten({path: value for path, value in values.items() if path not in trainable})


def _traced(root: Any, run: Run, inputs: Any, key: jax.Array) -> Records:
    """Drafts of the records of all modules below `root`."""
    records: Records = {}
    changed = True
    while changed:  # a state may turn from integer to float, which may turn another; dtypes only ever widen
        dtypes = [_dtypes_after(root, run, inputs, key, training, records) for training in (True, False)]
        changed = any([_adopt_dtypes(found, records) for found in dtypes])
    for module, record in records.values():
        attributes = {id(part) for _, part in children_in_attributes(module)}
        for child in record.children.values():
            child.has_arrays = _holds_arrays(child.module, records)
            if child.has_arrays and child.seen and id(child.module) not in attributes:
                require_sound(module, child)
    return records


def _dtypes_after(
    root: Any, run: Run, inputs: Any, key: jax.Array, training: bool, records: Records
) -> dict[tuple[int, str], Any]:
    """By module and name the dtypes that one call leaves its updated states with."""
    found: dict[tuple[int, str], Any] = {}

    def traced(inputs: Any, key: jax.Array, again: bool = False) -> None:
        scope = Scope(root, {}, training=training, key=key, initializing=True, records=records)
        scope.may_restart = scope.may_restart and not again
        with entered(scope):
            run(scope, inputs)
        for identity, (module, record) in list(records.items()):
            for name in record.specs if scope.knows(module) else ():
                value = scope.values.get(below(scope.path(module), name))
                if value is not None:
                    found[identity, name] = value.dtype

    try:
        jax.eval_shape(traced, inputs, key)
    except RetraceError:
        jax.eval_shape(functools.partial(traced, again=True), inputs, key)
    return found


def _adopt_dtypes(found: dict[tuple[int, str], Any], records: Records) -> bool:
    """Give each state the dtype that its update left it with; whether one changed."""
    changed = False
    for (identity, name), dtype in found.items():
        specs = records[identity][1].specs
        wider = jnp.promote_types(dtype, specs[name].dtype)
        changed = changed or wider != specs[name].dtype
        specs[name] = dataclasses.replace(specs[name], dtype=wider)
    return changed


def _holds_arrays(module: Any, records: Records) -> bool:
    """Whether a module or one below it declared an array."""
    seen: set[int] = set()

    def holds(module: Any) -> bool:
        if id(module) in seen or id(module) not in records:
            return False
        seen.add(id(module))
        record = records[id(module)][1]
        return bool(record.specs) or any(holds(child) for _, child in children_of(module, record))

    return holds(module)


def _specs(root: Any, records: Records) -> dict[str, tuple[Spec, Any]]:
    """By path what was declared, and the value that is there already or None; a shared module has its first path."""
    return {
        below(path, name): (spec, records[id(module)][1].values.get(name))
        for path, module in tree_of(root, lambda module: records[id(module)][1])
        for name, spec in records[id(module)][1].specs.items()
    }


def _values(specs: dict[str, tuple[Spec, Any]], key: jax.Array, anew: bool) -> dict[str, jax.Array]:
    """The values that are there already, and new ones for the rest, made by one program."""
    for path, (spec, value) in specs.items():
        if value is not None and value.shape != spec.shape:
            raise ValueError(
                f"`{path}` holds {short_type(value)}. With these inputs it has the shape {spec.shape}. "
                "Reset the module, or give inputs of the shape it was made for."
            )
    missing = {path: spec for path, (spec, value) in specs.items() if anew or value is None}

    def make(keys: jax.Array) -> dict[str, jax.Array]:
        return {path: stacked_value(spec, keys[number]) for number, (path, spec) in enumerate(missing.items())}

    keys = consumer_keys(key, [f"parameter:{path}" for path in missing])
    program = jax.jit(rewritten(make, DRAWS_ONLY))
    if isinstance(keys, Tracer):
        made = program(keys)
    else:  # under a transform that did not bring the key, initial values are still made now, not traced into it
        made = program.lower(keys).compile()(keys)
    return {
        path: made[path] if path in made else jnp.asarray(value, spec.dtype) for path, (spec, value) in specs.items()
    }


def _commit(root: Any, records: Records) -> None:
    for module, record in records.values():
        record.children = {name: child for name, child in record.children.items() if child.seen}
        record.values = {name: value for name, value in record.values.items() if name in record.specs}
        record.is_declared = True
        keep_record(module, record)
    settle_trainable(root)
