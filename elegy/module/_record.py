"""What a module remembers between calls: its declared parameters, the children its call makes, and its arrays."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from ._parameter import Spec


@dataclasses.dataclass
class Child:
    """A module made by a call.

    Attributes:
        module: the child.
        name: its name below the parent.
        args: how it was constructed.
        kwargs: how it was constructed, by name.
        is_named: whether it has a `name=` of its own, and so may be absent from some calls.
        has_arrays: whether it or a module below it holds arrays; others are made anew by each call.
        seen: in which modes initialization made it.
    """

    module: Any
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    is_named: bool
    has_arrays: bool = False
    seen: set[bool] = dataclasses.field(default_factory=set)


@dataclasses.dataclass
class Record:
    """A module's memory.

    Attributes:
        specs: by name the declared parameters and states.
        children: by identity the modules that its call makes.
        values: by name the arrays, while no call runs.
        initialized: whether an initialization succeeded.
        calls: how often the module was called by itself; each call has its own keys.
    """

    specs: dict[str, Spec] = dataclasses.field(default_factory=dict)
    children: dict[str, Child] = dataclasses.field(default_factory=dict)
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    initialized: bool = False
    calls: int = 0

    def draft(self) -> "Record":
        """A copy to change while an initialization may still fail; its parameters are declared anew."""
        children = {name: dataclasses.replace(child, seen=set()) for name, child in self.children.items()}
        return Record({}, children, dict(self.values), self.initialized, self.calls)


def record_of(module: Any) -> Record:
    """The module's record, made at its first use so that `super().__init__()` may be left out."""
    return vars(module).setdefault("_record", Record())


def children_of(module: Any, record: Record) -> Iterator[tuple[str, Any]]:
    """The modules directly below, by name: in attributes, in nests of lists, tuples and dicts, and made in calls."""
    target = vars(module).get("target", module)
    for name, value in vars(target).items() if hasattr(target, "__dict__") else ():
        if name != "_record":
            yield from _modules_in(value, name)
    for child in record.children.values():
        yield child.name, child.module


def _modules_in(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(type(value), type) and hasattr(type(value), "__elegy_module__"):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _modules_in(part, f"{path}/{key}")
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(value):
            yield from _modules_in(part, f"{path}/{number}")
