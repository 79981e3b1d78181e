"""Lifted transforms: a part of a call under `jax.checkpoint`, `jax.lax.scan` or `jax.vmap`, scope and all."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .._errors import short_type
from .._names import name_of
from ._bare import call_bare
from ._call import run_module
from ._module import Module
from ._record import is_module
from ._scope import Scope, running_scope


class Transform(Protocol):
    """Runs a module or function under a transform, as a part of the running call."""

    def __call__(self, scope: Scope, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the transformed target returns."""
        ...


class Lifted:
    """A module or function under a transform, called like it; made by `elegy.remat`, `elegy.scan` and `elegy.vmap`.

    It may be made in a call or in a constructor, stand in a `Sequential` or be a model's whole module. Parameters have
    the paths that they have without it.

    Args:
        target: an `elegy.Module`, another one of these, or a function.
        transform: runs it.
        maker: the public function that makes it.
        options: the arguments of that function besides the target.

    Raises:
        TypeError: the target is a class, or nothing that can be called.
    """

    __elegy_lifted__ = True
    __slots__ = ("_alone", "_maker", "_options", "_transform", "target")

    def __init__(
        self, target: Any, transform: Transform, maker: Callable[..., "Lifted"], options: Mapping[str, Any]
    ) -> None:
        who = f"`elegy.{maker.__name__}`"
        if isinstance(target, type):
            raise TypeError(
                f"{who} was given the class `{target.__name__}`. It takes an instance. Write "
                f"`{target.__name__}(...)`, with parentheses."
            )
        if not callable(target):
            raise TypeError(
                f"{who} was given a {short_type(target)}. That cannot be called. Give it an `elegy.Module` or a "
                "function."
            )
        self.target = target
        self._transform = transform
        self._maker = maker
        self._options = options
        self._alone: Any = None

    @property
    def name(self) -> str:
        """How logs and errors call it: as its target."""
        return name_of(self.target)

    @property
    def root(self) -> Module:
        """The module that holds the arrays: the target, or one that stands for a function."""
        module = module_of(self)
        if module is None and self._alone is None:
            self._alone = Alone(self)
        return self._alone if module is None else module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the target under the transform: as a part of the running call, or by itself."""
        scope = running_scope()
        if scope is not None:
            return self._transform(scope, self.target, args, kwargs)
        return call_bare(self.root, args, kwargs, self.run_as_root)

    def run_as_root(self, scope: Scope, root: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the target as all that a scope is for."""
        if root is self._alone:
            return run_module(scope, root, args, kwargs)
        return self._transform(scope, self.target, args, kwargs)

    def __elegy_config__(self) -> dict[str, Any]:
        """What a compiled step has baked in."""
        return {"transform": self._maker, "target": self.target, **self._options}

    def __reduce__(self) -> Any:
        """How it is copied and pickled: made again, with the arrays that stand for a function."""
        return _made_again, (self._maker, self.target, self._options), (None, {"_alone": self._alone})


class Alone(Module):
    """Owns what a function under a transform declares where no call runs.

    Args:
        lifted: the function under its transform.
    """

    __elegy_root__ = True

    def __init__(self, lifted: Lifted) -> None:
        self._stands_for = lifted

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function."""
        return self._stands_for(*args, **kwargs)


class Stacked(Module):
    """Owns what a function declares of which there is one for each round of a scan, or for each part of a map."""

    def call(self, target: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run the function."""
        return target(*args, **kwargs)


def _made_again(maker: Callable[..., Lifted], target: Any, options: Mapping[str, Any]) -> Lifted:
    return maker(target, **options)


def module_of(target: Any) -> Module | None:
    """The module below any number of transforms, or None if that is a function."""
    while isinstance(target, Lifted):
        target = target.target
    return target if is_module(target) else None


def stacked_target(scope: Scope, target: Callable[..., Any]) -> tuple[str, Callable[..., Any]]:
    """The path below which a target's arrays are stacked, and how to call it."""
    module = module_of(target)
    if module is not None:
        return scope.path(module), target
    own = Stacked()
    return scope.path(own), functools.partial(own, target)
