"""How a module's call runs as a part of the running scope."""

from typing import Any

from .._errors import ModuleOrderError, listing
from ._binding import with_training
from ._record import children_in_attributes
from ._scope import Frame, Scope


def run_module(scope: Scope, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], call: Any = None) -> Any:
    """Run a module; `training` is filled in where its call names it and nobody gave it.

    Args:
        scope: the running scope.
        module: an `elegy.Module`.
        args: go to the call.
        kwargs: go to the call.
        call: what runs; by default the module's `call`.
    """
    call = call or module.call
    path = scope.path(module) if scope.frames else ""
    frame = Frame(module)
    scope.frames.append(frame)
    try:
        outputs = call(*args, **with_training(call, args, kwargs, scope.is_training()))
        _require_all_made(scope, frame)
    finally:
        scope.frames.pop()
    scope.capture(path, outputs)
    return outputs


def _require_all_made(scope: Scope, frame: Frame) -> None:
    """Raise if a finished call left out a child that has arrays."""
    if scope.initializing:
        return
    children = scope.record(frame.module).children
    missing = [c for n, c in children.items() if n not in frame.made and c.has_arrays and not c.is_named]
    attributes = {id(module) for _, module in children_in_attributes(frame.module)} if missing else set()
    for child in missing:
        if id(child.module) not in attributes:
            raise ModuleOrderError(
                f"{scope.who(frame.module)} did not make its child `{child.name}` in this call. When it was "
                f"initialized it made: {listing(children)}; now: {listing(sorted(frame.made))}. "
                "Make the same children in each call, or give this one a `name=`."
            )
