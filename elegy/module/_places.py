"""Where the arrays of a tree of modules are: by path, on the modules themselves."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from .._errors import did_you_mean, listing, short_type
from .._paths import flatten, unflatten
from ._overlay import running_overlay
from ._record import Record, children_of, display_name, record_of


def tree_of(root: Any, record: Callable[[Any], Record] = record_of) -> list[tuple[str, Any]]:
    """By path every module from `root` down; a shared module once, at its first path.

    Args:
        root: the outermost module.
        record: finds a module's record; by default the one it carries.
    """
    found: dict[int, tuple[str, Any]] = {}

    def walk(module: Any, path: str) -> None:
        if id(module) not in found:
            found[id(module)] = (path, module)
            for name, child in children_of(module, record(module)):
                walk(child, below(path, name))

    walk(root, "")
    return list(found.values())


def places_of(root: Any) -> list[tuple[str, Record, str]]:
    """By path the record and name of every declared array from `root` down."""
    return [place for path, module in tree_of(root) for place in places_in(module, path)]


def places_in(module: Any, path: str = "") -> list[tuple[str, Record, str]]:
    """By path the record and name of every array that a module declared itself."""
    record = record_of(module)
    return [(below(path, name), record, name) for name in record.specs]


def is_initialized(root: Any) -> bool:
    """Whether every module from `root` down was declared and holds its arrays."""
    records = [record_of(module) for _, module in tree_of(root)]
    return all(record.is_declared and record.specs.keys() <= record.values.keys() for record in records)


def is_declared(root: Any) -> bool:
    """Whether it is known of every module from `root` down what it is made of."""
    return all(record_of(module).is_declared for _, module in tree_of(root))


def put_arrays(root: Any, parameters: Any, states: Any) -> None:
    """Put parameters and states onto the modules from `root` down."""
    flat = {**flatten(parameters), **flatten(states)}
    for path, record, name in places_of(root):
        if path in flat:
            record.values[name] = flat[path]


def arrays_on(root: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and states that the modules from `root` down hold."""
    flats: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for path, record, name in places_of(root):
        if name in record.values:
            flats[0 if record.specs[name].trainable else 1][path] = record.values[name]
    return unflatten(flats[0]), unflatten(flats[1])


def forget_arrays(root: Any) -> None:
    """Take all arrays off the modules from `root` down; what they are made of is found out anew by the next call."""
    for _, module in tree_of(root):
        record = record_of(module)
        record.values, record.is_declared, record.calls = {}, False, 0


def put_named(root: Any, values: Mapping[str, Any]) -> None:
    """Put arrays onto the modules from `root` down; what is not named stays, and an error changes nothing.

    Args:
        root: the outermost module.
        values: nested dicts, or a part of them.

    Raises:
        ValueError: a name is unknown or a shape differs.
    """
    places = {path: (record, name) for path, record, name in places_of(root)}
    new: dict[str, jax.Array] = {}
    for path, value in flatten(values).items():
        if path not in places:
            raise ValueError(
                f"`set_parameters` was given `{path}`. The module `{display_name(root)}` has: {listing(places)}. "
                "Use one of these; a module that was never called has none." + did_you_mean(path, places)
            )
        new[path] = fitting(value, *places[path], path)
    for path, value in new.items():
        record, name = places[path]
        record.values[name] = value


def fitting(value: Any, record: Record, name: str, path: str) -> jax.Array:
    """A value as an array of the declared dtype.

    Raises:
        ValueError: it has another shape, or is traced by a JAX transform that it would leak out of.
    """
    overlay = running_overlay()
    if isinstance(value, Tracer) and (overlay is None or overlay.is_inside_transform()):
        raise ValueError(
            f"`{path}` was set inside a JAX transform such as `jax.jit`. The value would leak out of it. Use "
            "`elegy.jit` with the module among its `modules`."
        )
    array, spec = jnp.asarray(value), record.specs[name]
    if array.shape != spec.shape:
        raise ValueError(
            f"`{path}` was set to {short_type(array)}. It has the shape {spec.shape}. Set an array of the same shape."
        )
    return array.astype(spec.dtype)


def below(path: str, name: str) -> str:
    """The path of `name` below `path`; the root has no name."""
    return f"{path}/{name}" if path else name


def is_below(path: str, top: str) -> bool:
    """Whether a path is `top` or leads on from it."""
    return not top or path == top or path.startswith(f"{top}/")


def split_arrays(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The arrays of a tree, and a function that puts others in their places; plain values stay."""
    leaves, structure = jax.tree.flatten(tree)
    places = [number for number, leaf in enumerate(leaves) if hasattr(leaf, "shape") and hasattr(leaf, "dtype")]

    def rebuild(arrays: list[Any]) -> Any:
        filled = dict(zip(places, arrays, strict=True))
        return jax.tree.unflatten(structure, [filled.get(number, leaf) for number, leaf in enumerate(leaves)])

    return [leaves[number] for number in places], rebuild
