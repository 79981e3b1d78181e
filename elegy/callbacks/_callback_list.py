"""Telling many callbacks what happens, at next to no cost for what nobody listens to."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax

from .._errors import InjectionError, did_you_mean, listing
from .._inject import Wants, wants
from .._logs import LazyLogs
from ._callback import ALIASES, KERAS_ORDER, Callback, Stop
from ._progress_bar import ProgressBar


class CallbackList:
    """Calls a hook of several callbacks in their order, and gathers their answers.

    Signatures are read here, once: a hook gets what its arguments name, or Keras' arguments by position if they have other
    names.

    Args:
        callbacks: one callback, or a list or tuple of them; it is copied. Any object with a hook is a callback.
        model: is handed to each callback's `set_model`.
        params: are handed to each callback's `set_params`.

    Raises:
        TypeError: something is no callback, or a class where an object belongs.
        InjectionError: a hook asks for what it cannot get.

    Example:
        >>> seen = []
        >>> class Note(Callback):
        ...     def on_epoch_end(self, epoch, logs):
        ...         seen.append(epoch)
        ...         return {"twice": 2 * logs["loss"]}
        >>> callbacks, logs = CallbackList(Note()), {"loss": 0.5}
        >>> callbacks.call("on_epoch_end", epoch=3, logs=logs)
        >>> seen, logs
        ([3], {'loss': 0.5, 'twice': 1.0})
    """

    def __init__(self, callbacks: Any = None, *, model: Any = None, params: Mapping[str, Any] | None = None) -> None:
        self.callbacks = _checked(callbacks)
        params = dict(params or {})
        for callback in self.callbacks:
            if callable(set_model := getattr(callback, "set_model", None)):
                set_model(model)
            if callable(set_params := getattr(callback, "set_params", None)):
                set_params(params)
        self._hooks = {
            hook: tuple(found for callback in self.callbacks if (found := _hook_of(callback, hook)) is not None)
            for hook in KERAS_ORDER
        }
        self._bars = tuple(callback for callback in self.callbacks if isinstance(callback, ProgressBar))

    def overrides(self, hook: str) -> bool:
        """Whether any callback listens to a hook.

        Args:
            hook: its name, like `on_train_batch_end`.
        """
        return bool(self._hooks[hook])

    def call(self, hook: str, **offer: Any) -> Stop | None:
        """Call a hook of every callback that has it.

        Args:
            hook: its name, like `on_epoch_end`.
            **offer: what the hook may ask for; dict answers are merged into `logs`.

        Returns:
            The first `Stop` that was answered; the callbacks after it are called all the same.

        Raises:
            TypeError: an answer is not None, a dict of scalars or a `Stop`.
            InjectionError: a hook asks for a name that is not on offer this time.
        """
        stop: Stop | None = None
        for listener in self._hooks[hook]:
            answer = listener.call(offer)
            if answer is None:
                continue
            if isinstance(answer, Stop):
                stop = stop or answer
            else:
                _merge(answer, offer.get("logs"), listener.who)
        return stop

    def launch_end(self, steps_done: int, running_logs: Callable[[], LazyLogs]) -> None:
        """Tell the progress bars that a launch of training or prediction was sent off.

        Args:
            steps_done: steps of this epoch or prediction so far.
            running_logs: makes the running values; called only by a bar that is redrawn.
        """
        for bar in self._bars:
            bar.on_launch_end(steps_done, running_logs)

    def test_launch_end(self, steps_done: int) -> None:
        """Tell the progress bars that a launch of an evaluation was sent off.

        Args:
            steps_done: steps of this evaluation so far.
        """
        for bar in self._bars:
            bar.on_test_launch_end(steps_done)


@dataclasses.dataclass(frozen=True)
class _Listener:
    """One hook of one callback, and how it is called: by these names, or by these positions."""

    function: Callable[..., Any]
    who: str
    positions: tuple[str, ...] | None
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    def call(self, offer: Mapping[str, Any]) -> Any:
        if self.positions is not None:
            return self.function(*(offer.get(name) for name in self.positions))
        for name in self.required:
            if name not in offer:
                raise InjectionError(
                    f"{self.who} asks for `{name}`, which it cannot get this time. It can get: {listing(offer)}. "
                    "Give the argument a default."
                )
        return self.function(**{name: offer[name] for name in self.required + self.optional if name in offer})


def _checked(callbacks: Any) -> tuple[Any, ...]:
    """The callbacks as a tuple, each an object with a hook."""
    if callbacks is None:
        return ()
    several = tuple(callbacks) if isinstance(callbacks, (list, tuple)) else (callbacks,)
    for callback in several:
        if isinstance(callback, type):
            raise TypeError(
                f"`callbacks=` got the class `{callback.__name__}`. A callback is an object. "
                f"Write `{callback.__name__}(...)`."
            )
        if not any(callable(getattr(callback, hook, None)) for hook in (*KERAS_ORDER, *ALIASES.values())):
            raise TypeError(
                f"`callbacks=` got `{callback!r}`, a {type(callback).__name__}. It has none of the hooks: "
                f"{listing(KERAS_ORDER)}. Derive it from `elegy.Callback`, or wrap a function as "
                "`elegy.callbacks.LambdaCallback(on_epoch_end=function)`."
            )
    return several


def _hook_of(callback: Any, hook: str) -> _Listener | None:
    """How a callback's hook is called, or None if it does not have it or does nothing there."""
    for name in (hook, ALIASES.get(hook, hook)):
        function = getattr(callback, name, None)
        if callable(function) and getattr(function, "__func__", function) is not getattr(Callback, name):
            return _listener(function, hook, f"`{type(callback).__name__}.{name}`")
    return None


def _listener(function: Callable[..., Any], hook: str, who: str) -> _Listener:
    asked, keras = wants(function), KERAS_ORDER[hook]
    names = (*keras, "run")
    if all(name in names for name in asked.names) and not asked.var_positional:
        return _Listener(function, who, None, asked.required, asked.optional + _for_keywords(asked, keras))
    if _fits_positions(asked, keras, names):
        return _Listener(function, who, keras)
    unknown = next((name for name in asked.names if name not in names), asked.names[0])
    raise InjectionError(
        f"{who} asks for `{unknown}`, which this hook does not have. It has: {listing(names)}. "
        f"Ask for these names, or take {listing(f'`{name}`' for name in keras)} by position."
        + did_you_mean(unknown, names)
    )


def _for_keywords(asked: Wants, keras: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in keras if name not in asked.names) if asked.var_keyword else ()


def _fits_positions(asked: Wants, keras: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether a call with Keras' arguments works, and gives no argument what another one is called."""
    slots = asked.positional[: len(keras)]
    accepts = len(slots) == len(keras) or asked.var_positional
    missing = any(name in asked.required for name in asked.names if name not in slots)
    misplaced = any(slot != name and slot in names for slot, name in zip(slots, keras, strict=False))
    return accepts and not missing and not misplaced


def _merge(answer: Any, logs: Any, who: str) -> None:
    """Add a hook's dict to the logs, as Python floats."""
    if not isinstance(answer, Mapping):
        what = "the class `Stop`" if answer is Stop else f"`{answer!r}`, a {type(answer).__name__}"
        raise TypeError(
            f"{who} returned {what}. A hook answers None, a dict of scalars for the logs, or `elegy.Stop(\"reason\")`. "
            "Return one of these."
        )
    if logs is None:
        raise TypeError(
            f"{who} returned a dict. This hook has no logs to add it to. Return None or `elegy.Stop(\"reason\")`."
        )
    for name, value in answer.items():
        if not isinstance(name, str) or not _is_scalar(value):
            raise TypeError(
                f"{who} returned `{name!r}: {value!r}` for the logs. A log is a number under a name. "
                "Return a dict of strings and scalars."
            )
        logs[name] = float(jax.device_get(value))


def _is_scalar(value: Any) -> bool:
    if isinstance(value, (int, float)):
        return True
    dtype = getattr(value, "dtype", None)
    return getattr(value, "shape", None) == () and getattr(dtype, "kind", "O") in "biufV"
