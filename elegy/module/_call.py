"""How a module's call runs as a part of the running scope."""

from typing import Any

from .._inject import wants
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
        asked = wants(call)
        position = asked.positional.index("training") if "training" in asked.positional else len(args)
        if "training" in asked.names and "training" not in kwargs and len(args) <= position:
            kwargs = {**kwargs, "training": scope.is_training()}
        outputs = call(*args, **kwargs)
        scope.finish(frame)
    finally:
        scope.frames.pop()
    scope.capture(path, outputs)
    return outputs
