"""All callbacks of a run as one: who overrides which hook, what each is given, and what its answers do."""

import functools
import logging
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from .._errors import did_you_mean, listing, short_type
from .._names import name_of, unique_name
from ._callback import Stop
from ._history import History
from ._hooks import HOOKS, Hook, hook_offer, read_hooks
from ._progress_bar import ProgressBar

_log = logging.getLogger("elegy")

# The hooks whose logs somebody reads afterwards.
_LOGGING_HOOKS = ("on_epoch_end", "on_train_batch_end", "on_test_end", "on_test_batch_end")


class CallbackList:
    """Calls the hooks of several callbacks, in order, with what each asks for.

    A callback that is marked as a logger (`is_logger`) may fail: that is one warning, and nothing ends.

    Args:
        callbacks: a callback, or a list of them; the list is not changed.
        model: given to each callback's `set_model`.
        params: given to each callback's `set_params`.
        offers: by hook that the loop calls the names that it can give it beyond Keras' arguments; an `Offer` also says
            why others are missing. Hooks that are left out are not checked. None: every hook may ask for `run`.

    Raises:
        InjectionError: a hook asks for a name that it is not offered.
        TypeError: something is no callback.

    Example:
        >>> from elegy.callbacks import LambdaCallback
        >>> callbacks = CallbackList(LambdaCallback(on_epoch_end=lambda epoch, logs: {"twice": 2 * logs["loss"]}))
        >>> logs = {"loss": 1.5}
        >>> callbacks.call("on_epoch_end", epoch=0, logs=logs)
        >>> logs
        {'loss': 1.5, 'twice': 3.0}
    """

    def __init__(
        self,
        callbacks: Any = None,
        *,
        model: Any = None,
        params: Mapping[str, Any] | None = None,
        offers: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.callbacks: tuple[Any, ...] = _as_tuple(callbacks)
        self._offers = offers or {}
        self._hooks: dict[str, list[Hook]] = {name: [] for name in HOOKS}
        self._may_print: set[str] = set()
        self._owners: dict[int, Any] = {}
        self._failed: set[int] = set()
        for callback in self.callbacks:
            for name, hook in read_hooks(callback, self._offers).items():
                self._hooks[name].append(hook)
                self._owners[id(hook)] = callback
                if not isinstance(callback, (ProgressBar, History)) and "batch" not in name:
                    self._may_print.add(name)
        self._bars = [callback for callback in self.callbacks if isinstance(callback, ProgressBar)]
        if model is not None:
            self.set_model(model)
        if params is not None:
            self.set_params(params)

    @property
    def needs_every_step(self) -> bool:
        """Whether a callback must act between any two steps."""
        begins = bool(self._hooks["on_train_batch_begin"])
        return begins or any(getattr(callback, "every_step", False) for callback in self.callbacks)

    def overrides(self, hook: str) -> bool:
        """Whether a callback overrides `hook`."""
        return bool(self._hooks[hook])

    def asked_names(self, hook: str) -> frozenset[str]:
        """What callbacks ask `hook` for by name of what it is offered, beyond `run` and Keras' arguments."""
        names = {name for each in self._hooks[hook] for name in each.asked_names}
        return frozenset(names.intersection(self._offers.get(hook, ())).difference(("run", *HOOKS[hook])))

    def is_offered(self, hook: str, name: str) -> bool:
        """Whether `hook` may ask for `name`, beyond Keras' arguments."""
        return name in self._offers.get(hook, ())

    def check(self, hook: str, further: Collection[str], *, where: str) -> None:
        """Raise unless `hook` gets all that it must have; for what turns out only when a step is traced.

        Args:
            hook: which one.
            further: the names that there are beyond Keras' arguments.
            where: how errors call what offers them.

        Raises:
            InjectionError: a name without a default is missing.
        """
        for each in self._hooks[hook]:
            each.check(hook_offer(hook, further), where=where)

    def set_model(self, model: Any) -> None:
        """Tell every callback which model runs."""
        self._tell("set_model", model)

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Tell every callback `verbose`, `epochs` and `steps`; each gets a dict of its own."""
        self._tell("set_params", params)

    def call(self, hook: str, /, **offer: Any) -> Stop | None:
        """Call a hook of all callbacks that override it.

        Dicts they return are added to `logs`, so that later callbacks see them.

        Args:
            hook: which one.
            **offer: injectable values by name, which may be `Lazy`; Keras' arguments of that hook always, `run` while a
                fit runs.

        Returns:
            The first `Stop` that a callback answered; all others have been called too.

        Raises:
            InjectionError: a hook asks for a name that is not on offer.
            TypeError: a callback answered something else than None, a dict of numbers, or `Stop`.
        """
        called = self._hooks[hook]
        if hook in self._may_print:
            for bar in self._bars:
                bar.clear_line()
        stops = [stop for each in called if (stop := self._answer(each, offer)) is not None]
        return stops[0] if stops else None

    def state(self) -> dict[str, Any]:
        """By unique callback name, like `early_stopping`, what each callback that has a state needs to go on later."""
        states = {
            name: self._forgiving(callback, f"`state` of callback `{name}`", callback.state)
            for name, callback in self._stateful().items()
        }
        return {name: state for name, state in states.items() if state}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Hand out what `state()` gave, after `on_train_begin`. Callbacks that are new start afresh.

        Args:
            state: by callback name its state. Of one that is not there any more there is a warning.
        """
        there = self._stateful()
        for name, own in state.items():
            callback = there.get(name)
            if callback is not None:
                self._forgiving(callback, f"`restore` of callback `{name}`", functools.partial(callback.restore, own))
                continue
            warnings.warn(
                f"The state of callback `{name}` was to be restored. The callbacks that have a state are: "
                f"{listing(there)}. It is left out; give `callbacks=` as in the fit that saved it to go on from there."
                + did_you_mean(name, there),
                stacklevel=2,
            )

    def say(self, text: str) -> None:
        """Let the bar keep a line of text.

        Args:
            text: the line.
        """
        for bar in self._bars:
            bar.say(text)

    def launch_end(self, steps_done: int, read_logs: Callable[[], Any], waiting: float | None = None) -> None:
        """Tell the bar that a launch was started.

        Args:
            steps_done: steps or batches of this epoch or pass so far.
            read_logs: makes the `LazyLogs` of the pass so far; called only if the bar is about to be redrawn.
            waiting: the share of the time that was spent waiting for data, where known.
        """
        for bar in self._bars:
            bar.on_launch_end(steps_done, read_logs, waiting)

    def test_launch_end(self, steps_done: int) -> None:
        """Tell the bar that a launch of an evaluation was started.

        Args:
            steps_done: batches of this pass so far.
        """
        for bar in self._bars:
            bar.on_test_launch_end(steps_done)

    def _answer(self, hook: Hook, offer: Mapping[str, Any]) -> Stop | None:
        return self._forgiving(self._owners[id(hook)], hook.who, lambda: _taken(hook, hook(offer), offer))

    def _forgiving(self, callback: Any, who: str, function: Callable[[], Any]) -> Any:
        """What the function returns; None if it is a logger's and fails, with a warning the first time."""
        if getattr(callback, "is_logger", False) is not True:
            return function()
        try:
            return function()
        except Exception as error:  # whatever it is, a record is not worth the training
            _log.debug("%s failed", who, exc_info=error)
            if id(callback) not in self._failed:
                self._failed.add(id(callback))
                warnings.warn(
                    f"{who} failed: {type(error).__name__}: {error}. It is a logger, so the run goes on, and what "
                    'else fails in it is silent. The tracebacks are in `logging.getLogger("elegy")` at level DEBUG.',
                    stacklevel=2,
                )
            return None

    def _stateful(self) -> dict[str, Any]:
        """By unique name the callbacks with both `state` and `restore`; objects of other libraries may have neither."""
        named: dict[str, Any] = {}
        for callback in self.callbacks:
            if all(callable(getattr(callback, method, None)) for method in ("state", "restore")):
                named[unique_name(name_of(callback), named)] = callback
        return named

    def _tell(self, setter: str, value: Any) -> None:
        for callback in self.callbacks:
            method = getattr(callback, setter, None)
            if method is not None:
                method(dict(value) if isinstance(value, Mapping) else value)


def _as_tuple(callbacks: Any) -> tuple[Any, ...]:
    if callbacks is None:
        return ()
    return tuple(callbacks) if isinstance(callbacks, (list, tuple)) else (callbacks,)


def _taken(hook: Hook, answer: Any, offer: Mapping[str, Any]) -> Stop | None:
    """Do what an answer says; a `Stop` is handed on."""
    if answer is None or isinstance(answer, Stop):
        return answer
    if not isinstance(answer, Mapping):
        what = "the class `Stop`" if answer is Stop else f"{answer!r}"
        raise TypeError(
            f"{hook.who} returned {what}. A hook returns None, a dict of numbers for the logs, or an `elegy.Stop`. "
            'Return one of these, like `elegy.Stop("reason")`.'
        )
    if hook.name not in _LOGGING_HOOKS:
        raise TypeError(
            f"{hook.who} returned a dict of logs. After that hook nobody would read them. "
            f"Return it from one of: {listing(_LOGGING_HOOKS)}."
        )
    offer["logs"].update({name: _number(hook, name, value) for name, value in answer.items()})
    return None


def _number(hook: Hook, name: Any, value: Any) -> float:
    is_number = not isinstance(value, str) and np.shape(value) == ()
    try:
        if isinstance(name, str) and is_number:
            return float(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(
        f"{hook.who} returned {name!r}: {short_type(value)} for the logs. A log is a name with one number. "
        "Return numbers or scalar arrays."
    )
