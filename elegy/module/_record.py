"""What a module remembers between calls: its declared parameters, the children its call makes, and its arrays."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._names import name_of
from ._overlay import overlay_of
from ._parameter import Spec

PLAIN_NAME = re.compile(r"[^/.\[\]*?\s]+")
"""What may be one step of a path."""


@dataclasses.dataclass
class Child:
    """A module made by a call.

    Attributes:
        module: the child.
        name: its name below the parent.
        args: how it was constructed.
        kwargs: how it was constructed, by name.
        is_named: whether it has a `name=` of its own, and so may be absent from some calls.
        is_adopted: whether it was made elsewhere and is only called here.
        is_inside_transform: whether a raw JAX transform surrounded its construction.
        has_arrays: whether it or a module below it holds arrays; others are made anew by each call.
        seen: in which modes initialization made it.
    """

    module: Any
    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    is_named: bool = False
    is_adopted: bool = False
    is_inside_transform: bool = False
    has_arrays: bool = False
    seen: set[bool] = dataclasses.field(default_factory=set)


@dataclasses.dataclass
class Record:
    """A module's memory.

    Attributes:
        specs: by name the declared parameters and states.
        children: by identity the modules that its call makes.
        values: by name the arrays, while no call runs.
        is_declared: whether an initialization succeeded.
        has_transforms: whether arrays are read inside raw JAX transforms while its call runs.
        calls: how often the module was called by itself; each call has its own keys.
        trainable: whether its parameters learn; None is as in the module above.
        is_traced_bare: whether it was called by itself inside raw JAX transforms, which may remember its arrays.
    """

    specs: dict[str, Spec] = dataclasses.field(default_factory=dict)
    children: dict[str, Child] = dataclasses.field(default_factory=dict)
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    is_declared: bool = False
    has_transforms: bool = False
    calls: int = 0
    trainable: bool | None = None
    is_traced_bare: bool = False

    def draft(self) -> "Record":
        """A copy to change while an initialization may still fail; its parameters are declared anew."""
        children = {
            name: dataclasses.replace(child, seen=set(child.seen) if child.is_adopted else set())
            for name, child in self.children.items()
        }
        return dataclasses.replace(self, specs={}, children=children, values=dict(self.values))

    def copy(self) -> "Record":
        """A copy for another module: what is set there leaves this one alone."""
        children = {name: dataclasses.replace(child, seen=set(child.seen)) for name, child in self.children.items()}
        return dataclasses.replace(self, specs=dict(self.specs), children=children, values=dict(self.values))


def record_of(module: Any) -> Record:
    """The module's record, made at its first use so that `super().__init__()` may be left out.

    While a function runs that `elegy.jit` or `elegy.grad` was given, it is a copy that holds traced arrays.
    """
    overlay = overlay_of(module)
    return stored_record(module) if overlay is None else overlay.records[id(module)][1]


def stored_record(module: Any) -> Record:
    """The record on the object, whatever runs."""
    return vars(module).setdefault("_record", Record())


def keep_record(module: Any, record: Record) -> None:
    """Give a module another record."""
    overlay = overlay_of(module)
    if overlay is None:
        vars(module)["_record"] = record
    else:
        overlay.records[id(module)] = (module, record)


def owner_of(module: Any) -> Any:
    """The object whose attributes are a module's: itself, or the plain object that an implicit root stands for."""
    return vars(module)["_stands_for"] if type(module).__elegy_root__ else module


def attributes_of(module: Any) -> dict[str, Any]:
    """The instance attributes of a module's owner."""
    return getattr(owner_of(module), "__dict__", {})


def display_name(module: Any) -> str:
    """How errors call a module: its name, else its class in snake case."""
    return name_of(owner_of(module) if is_module(module) else module)


def children_of(module: Any, record: Record) -> Iterator[tuple[str, Any]]:
    """The modules directly below, by name: in attributes, in nests of lists, tuples and dicts, and made in calls."""
    yield from children_in_attributes(module)
    for child in record.children.values():
        yield child.name, child.module


def children_in_attributes(module: Any) -> Iterator[tuple[str, Any]]:
    """By name the modules in attributes, and in lists, tuples and dicts there."""
    for name, value in attributes_of(module).items():
        if name != "_record":
            yield from _modules_in(value, name)


def is_module(value: Any) -> bool:
    """Whether a value is an `elegy.Module`."""
    return getattr(type(value), "__elegy_module__", False) is True


def _modules_in(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if is_module(value):
        yield path, value
    elif getattr(type(value), "__elegy_lifted__", False) is True:  # `elegy.scan(block)` is found as the block
        yield from _modules_in(value.target, path)
    elif isinstance(value, Mapping):
        taken: set[str] = set()
        for key, part in value.items():
            found = list(_modules_in(part, f"{path}/{key}"))
            if found:
                _require_key(key, path, taken)
            yield from found
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(value):
            yield from _modules_in(part, f"{path}/{number}")


def _require_key(key: Any, path: str, taken: set[str]) -> None:
    """Raise if the key of a module in a dict is no step of a path, or the same step as another key."""
    step = str(key)
    if not PLAIN_NAME.fullmatch(step) or step in taken:
        why = "Another key is spelled the same." if step in taken else "Keys are steps of paths, `encoder/linear/w`."
        raise ValueError(
            f"A module is in the dict `{path}` under the key {key!r}. {why} "
            "Use other strings, without `/`, `.`, `[`, `]`, `*`, `?` and spaces."
        )
    taken.add(step)
