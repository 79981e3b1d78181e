"""Initialization: trace a call to see what it declares, make the first values, commit only if all went well."""

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from .._errors import ModuleOrderError, short_type
from ._keys import INIT, consumer_key, domain_key
from ._parameter import Spec, initial_value
from ._record import Record, children_of
from ._scope import Scope, display_name, entered

Run = Callable[[Any, bool], Any]
_ANY_SEED = np.zeros(2, np.uint32)  # where only shapes count


def initialize(root: Any, run: Run, inputs: Any, key: jax.Array | None) -> None:
    """Declare and create everything below `root`; a failure leaves nothing behind.

    Args:
        root: the outermost module.
        run: calls it with inputs and `training`.
        inputs: arrays, or their shapes.
        key: the key of the initial values; None declares what there is without making values.

    Raises:
        ValueError, ModuleOrderError: the module's declarations contradict each other.
    """
    records: dict[int, tuple[Any, Record]] = {}
    for _ in range(3):  # a state may turn from integer to float, which may turn another
        scopes = [_trace(root, run, inputs, key, training, records) for training in (True, False)]
        if not any([_adopt_dtypes(scope, records) for scope in scopes]):
            break
    _require_same_children(records)
    paths = _paths(root, records)
    # Under a transform that did not bring the key, initial values are still made now, not traced into it.
    concrete = not isinstance(key, Tracer)
    with jax.ensure_compile_time_eval() if concrete else contextlib.nullcontext():
        values = {} if key is None else _values(paths, records, key)
    for identity, (_, record) in records.items():
        record.children = {name: child for name, child in record.children.items() if child.seen}
        record.values = {name: values.get((identity, name), record.values.get(name)) for name in record.specs}
        record.values = {name: value for name, value in record.values.items() if value is not None}
        record.initialized = True
    for module, record in records.values():
        for child in record.children.values():
            child.has_arrays = holds_arrays(child.module, records)
        vars(module)["_record"] = record


def holds_arrays(module: Any, records: dict[int, tuple[Any, Record]]) -> bool:
    """Whether a module or one below it declared an array."""
    if id(module) not in records:
        return False
    record = records[id(module)][1]
    return bool(record.specs) or any(holds_arrays(child, records) for _, child in children_of(module, record))


def _trace(root: Any, run: Run, inputs: Any, key: jax.Array | None, training: bool, records: Any) -> Scope:
    made: list[Scope] = []

    def traced(inputs: Any, key: jax.Array) -> Any:
        scope = Scope(root, {}, training=training, key=key, initializing=True, records=records)
        made.append(scope)
        with entered(scope):
            outputs = run(inputs, training)
        scope.dtypes = {path: value.dtype for path, value in scope.values.items()}
        return outputs

    jax.eval_shape(traced, inputs, domain_key(_ANY_SEED, INIT, 0) if key is None else key)
    return made[-1]


def _adopt_dtypes(scope: Scope, records: Any) -> bool:
    """Give each state the dtype that its update left it with; whether one changed."""
    changed = False
    for module, record in records.values():
        if not scope.knows(module):
            continue
        path = scope.path(module)
        for name, spec in record.specs.items():
            dtype = scope.dtypes.get(f"{path}/{name}" if path else name, spec.dtype)
            if jnp.dtype(dtype) != jnp.dtype(spec.dtype):
                record.specs[name] = dataclasses.replace(spec, dtype=jnp.promote_types(dtype, spec.dtype))
                changed = changed or record.specs[name].dtype != spec.dtype
    return changed


def _require_same_children(records: Any) -> None:
    for module, record in records.values():
        for name, child in record.children.items():
            if len(child.seen) == 1 and not child.is_named and holds_arrays(child.module, records):
                mode = "training" if True in child.seen else "evaluation"
                raise ModuleOrderError(
                    f"module `{display_name(module)}` makes its child `{name}` in {mode} only. It holds "
                    "arrays, and children "
                    "are told apart by their order. Give it a `name=`, or make it in both modes."
                )


def _paths(root: Any, records: Any) -> dict[tuple[int, str], str]:
    """By module and parameter name the path; a shared module has its first one."""
    paths: dict[int, str] = {}

    def walk(module: Any, path: str) -> None:
        if id(module) in paths or id(module) not in records:
            return
        paths[id(module)] = path
        for name, child in children_of(module, records[id(module)][1]):
            walk(child, f"{path}/{name}" if path else name)

    walk(root, "")
    return {
        (identity, name): f"{path}/{name}" if path else name
        for identity, path in paths.items()
        for name in records[identity][1].specs
    }


def _values(paths: dict[tuple[int, str], str], records: Any, key: jax.Array) -> dict[tuple[int, str], jax.Array]:
    """The values that are there already, and new ones for the rest, made by one program."""
    kept: dict[tuple[int, str], jax.Array] = {}
    missing: dict[str, Spec] = {}
    for (identity, name), path in paths.items():
        record = records[identity][1]
        if name not in record.values:
            missing[path] = record.specs[name]
            continue
        value = record.values[name]
        if value.shape != record.specs[name].shape:
            raise ValueError(
                f"`{path}` holds {short_type(value)}. With these inputs it has the shape {record.specs[name].shape}. "
                "Reset the module, or give inputs of the shape it was made for."
            )
        kept[identity, name] = jnp.asarray(value, record.specs[name].dtype)

    def make(key: jax.Array) -> dict[str, jax.Array]:
        return {
            path: initial_value(spec.initializer, spec.shape, spec.dtype, consumer_key(key, f"parameter:{path}", 0))
            for path, spec in missing.items()
        }

    made = jax.jit(make)(key) if missing else {}
    return {place: kept[place] if place in kept else made[path] for place, path in paths.items()}
