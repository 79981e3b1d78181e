"""A callback made of functions, for what is too small for a class."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from .._errors import did_you_mean, listing
from ._callback import ALIASES, KERAS_ORDER, Callback, Stop

_NAMES = (*KERAS_ORDER, *ALIASES.values())


class LambdaCallback(Callback):
    """Runs functions as hooks.

    A function gets what its arguments name, like the hooks of `Callback`. Dicts and `Stop`s that it returns count; any other
    value is dropped, since a lambda returns something whether it means to or not.

    Args:
        **hooks: by hook name, like `on_epoch_end`, a function; None is left out.

    Raises:
        TypeError: there is no such hook, or the value is no function.

    Example:
        >>> seen = []
        >>> note = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["loss"])))
        >>> note.on_epoch_end(0, {"loss": 0.5})
        >>> seen
        [(0, 0.5)]
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if name not in _NAMES:
                raise TypeError(
                    f"`LambdaCallback` got `{name}=`. The hooks are: {listing(_NAMES)}. Use one of these."
                    + did_you_mean(name, _NAMES)
                )
            if function is None:
                continue
            if not callable(function):
                raise TypeError(
                    f"`LambdaCallback` got `{name}={function!r}`. A hook is a function. "
                    f"Write it like `{name}=lambda logs: ...`."
                )
            setattr(self, name, _quiet(function))


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def hook(*arguments: Any, **named: Any) -> Any:
        answer = function(*arguments, **named)
        return answer if answer is Stop or isinstance(answer, (Mapping, Stop)) else None

    return hook
