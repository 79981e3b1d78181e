"""A callback made of functions, for what is too small for a class."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ._callback import Callback, Stop
from ._hooks import ALIASES, HOOKS, unknown_hook


class LambdaCallback(Callback):
    """Calls a function at each hook that is given as a keyword argument.

    A function takes Keras' arguments under any names (`lambda e, l: ...`), or asks by name like a method would
    (`lambda logs, run: ...`). What it returns counts if it is a dict or an `elegy.Stop`; anything else is dropped,
    since a lambda always returns what it computed (`lambda epoch, logs: file.write(...)`).

    Args:
        **hooks: by hook (`on_epoch_end`, `on_train_batch_end`, ...) a function, or None.

    Raises:
        TypeError: a keyword is no hook, or a value is no function.

    Example:
        >>> seen = []
        >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"]))
        >>> callback.on_epoch_end(0, {"loss": 0.5})
        >>> seen
        [0.5]
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if name not in HOOKS and name not in ALIASES:
                raise TypeError(unknown_hook("LambdaCallback", name))
            if function is not None and not callable(function):
                raise TypeError(
                    f"LambdaCallback got `{name}={function!r}`. A hook is a function. Write `{name}=lambda ...: ...`."
                )
            if function is not None:
                setattr(self, ALIASES.get(name, name), _Answering(function))


class _Answering:
    """A function without the results that are no answers; a class, so that it pickles where the function does.

    Args:
        function: the hook.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function, updated=())
        self._function = function

    def __call__(self, *args: Any, **named: Any) -> Any:
        answer = self._function(*args, **named)
        return answer if isinstance(answer, (Mapping, Stop)) else None
