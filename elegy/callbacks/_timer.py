"""End a fit when its time is up."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from .._when import When
from ._callback import Callback, Stop
from ._schedule import Schedule, look_as_often_as


class Timer(Callback):
    """Ends the fit after some time, some steps, some epochs or a share of it, whichever way the limit is given.

    It looks after each step, so a fit is over its limit by one step, and by the validation that follows.

    Args:
        limit: an `elegy.When` or its text, like "10 min", "5000 steps" or "3 epochs"; a number counts seconds.
        clock: tells the time in seconds.

    Attributes:
        limit: as an `elegy.When`.

    Raises:
        TypeError, ValueError: the limit cannot be read.

    Example:
        >>> timer = Timer("2 epochs")
        >>> timer.on_train_begin()
        >>> timer.on_epoch_end(0), timer.on_epoch_end(1)
        (None, Stop(reason='the limit of 2 epochs is reached'))
    """

    def __init__(self, limit: str | float | When, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = When(limit, number="s")
        self._schedule = Schedule(self.limit, clock=clock)
        self._epoch = 0
        self._reason = ""
        look_as_often_as(self.limit, self, Timer)

    @property
    def seconds(self) -> float:
        """The time spent in the fit so far, and once it is over in the whole fit."""
        return self._schedule.seconds

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start the clock."""
        del logs
        self._reason = ""
        self._schedule.begin(self.params)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note which epoch runs."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> Stop | None:
        """Look at the clock after a step."""
        del batch, logs
        self._schedule.is_due_after_step(self._epoch)
        return self._answer()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> Stop | None:
        """Look at the clock after an epoch."""
        del logs
        self._schedule.is_due_after_epoch(epoch)
        return self._answer()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Stop the clock, and say why the fit ended, unless it is silent."""
        del logs
        self._schedule.end()
        if self._reason and self.params.get("verbose"):
            print(f"The fit ended: {self._reason}.")

    def on_exception(self, exception: BaseException) -> None:
        """Stop the clock."""
        del exception
        self._schedule.end()

    def state(self) -> dict[str, Any]:
        """What the fit has used of the limit."""
        return self._schedule.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with what earlier parts of the fit have left of the limit."""
        self._schedule.restore(state)

    def _answer(self) -> Stop | None:
        if not self._schedule.times:
            return None
        self._reason = f"the limit of {self.limit} is reached"
        return Stop(self._reason)
