"""What reading and setting an attribute of a module means: a parameter, a child that calls find, or plain Python."""

from typing import Any

from .._errors import did_you_mean, listing
from ._places import fitting
from ._record import Record, display_name, record_of
from ._scope import running_scope


def looked_up(module: Any, name: str) -> Any:
    """A parameter's value, or a child that a call made, by name; while a call runs, of that call.

    Raises:
        AttributeError: there is none.
    """
    record = record_of(module)
    scope = running_scope()
    if scope is not None and scope.frames and scope.knows(module):
        running = scope.record(module)
        if name in running.specs:
            return scope.value(module, name)
        record = running
    if name in record.values:
        return record.values[name]
    if name in record.children:
        return record.children[name].module
    offer = [*record.values, *record.children]
    raise AttributeError(
        f"`{type(module).__name__}` has no attribute `{name}`. It holds: {listing(offer)}. "
        f"Parameters and children appear after the first call.{did_you_mean(name, offer)}"
    )


def assigned(module: Any, name: str, value: Any) -> None:
    """Set an attribute; while no call runs also a parameter's value, or the child that calls find by that name.

    Raises:
        ValueError: a parameter is set inside a call, its shape differs, or a child is replaced by one of another class.
    """
    scope = running_scope()
    record = record_of(module)
    if scope is not None and scope.knows(module):
        record = scope.record(module)
    if name not in record.specs and name not in record.children:
        object.__setattr__(module, name, value)
    elif name in record.specs and scope is not None:
        raise ValueError(
            f"The module `{display_name(module)}` sets its parameter `{name}` inside a call. Values belong to the "
            f'call there. Write `self.update_parameter("{name}", value)`.'
        )
    elif name in record.specs:
        record.values[name] = fitting(value, record, name, name)
    elif scope is not None:
        object.__setattr__(module, name, value)
    else:
        _replace_child(module, record, name, value)


def _replace_child(module: Any, record: Record, name: str, value: Any) -> None:
    child = record.children[name]
    if type(value) is not type(child.module):
        raise ValueError(
            f"The module `{display_name(module)}` was given a {type(value).__name__} as `{name}`. Its call makes a "
            f"{type(child.module).__name__} of that name. Set one of the same class, or change the call."
        )
    child.module = value
    if name in vars(module):
        object.__setattr__(module, name, value)
