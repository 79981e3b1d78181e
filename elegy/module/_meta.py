"""Construction as a hook: a module made while another one's call runs is that one's child."""

import inspect
from abc import ABCMeta
from typing import Any

from ._elsewhere import require_arguments_of
from ._scope import running_scope


class ModuleMeta(ABCMeta):
    """Makes `Linear(5)` inside a running call find the child of that place, and build it only the first time."""

    @property
    def __signature__(cls) -> inspect.Signature:
        """How instances are made; without it the signature would be that of `__call__` below."""
        _, *parameters = inspect.signature(cls.__init__).parameters.values()
        return inspect.Signature(parameters)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Build an instance, or find the one that this place of the running call made before."""

        def build() -> Any:
            require_arguments_of(cls, kwargs)
            return super(ModuleMeta, cls).__call__(*args, **kwargs)

        scope = running_scope()
        if scope is None or not scope.frames or scope.frames[-1].constructing:
            return build()
        return scope.child(cls, args, kwargs, build)
