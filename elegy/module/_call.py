"""How a module's call runs as a part of the running scope."""

from typing import Any

from ._binding import with_training
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
        scope.finish(frame)
    finally:
        scope.frames.pop()
    scope.capture(path, outputs)
    return outputs
