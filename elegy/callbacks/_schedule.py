"""Count what a fit has done, so that a callback acts whenever its `When` comes."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from .._when import When
from ._callback import Callback


class Schedule:
    """Steps, epochs and seconds of one fit, and how often a `When` has come in it.

    Its user tells it what happens, and asks. What it counted can be saved, so that a fit that goes on later counts on.
    While the number of steps is unknown, a share of the fit grows only at the end of an epoch.

    Args:
        when: how often.
        clock: tells the time in seconds.

    Attributes:
        times: how often it has come.

    Example:
        >>> schedule = Schedule(When("2 steps"))
        >>> schedule.begin({"epochs": 1, "steps": 5})
        >>> [schedule.is_due_after_step(epoch=0) for step in range(5)]
        [False, True, False, True, False]
    """

    def __init__(self, when: When, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.when = when
        self._clock = clock
        self._params: Mapping[str, Any] = {}
        self._steps, self._epochs, self.times = 0, 0, 0
        self._seconds = 0.0
        self._began: float | None = None

    @property
    def seconds(self) -> float:
        """The time spent, over all parts of the fit."""
        return self._seconds if self._began is None else self._seconds + self._clock() - self._began

    def begin(self, params: Mapping[str, Any]) -> None:
        """Start anew.

        Args:
            params: `epochs` and `steps` of the fit, as callbacks know them.
        """
        self._params = params
        self._steps, self._epochs, self.times = 0, 0, 0
        self._seconds, self._began = 0.0, self._clock()

    def end(self) -> None:
        """Stop the clock."""
        self._seconds, self._began = self.seconds, None

    def is_due_after_step(self, epoch: int) -> bool:
        """Count a training step of an epoch, counted from 0; whether it is time."""
        self._steps += 1
        return self._is_due(epoch - self._epochs)

    def is_due_after_epoch(self, epoch: int) -> bool:
        """Count an epoch, counted from 0; whether it is time."""
        self._epochs += 1
        return self._is_due(epoch + 1 - self._epochs)

    def state(self) -> dict[str, float]:
        """What it counted."""
        return {"steps": self._steps, "epochs": self._epochs, "seconds": self.seconds, "times": self.times}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Count on from what `state()` gave."""
        self._steps, self._epochs, self.times = (int(state[name]) for name in ("steps", "epochs", "times"))
        self._seconds = float(state["seconds"])

    def _is_due(self, first_epoch: int) -> bool:
        share = self._share(first_epoch)
        times = self.when.times(step=self._steps, epoch=self._epochs, seconds=self.seconds, share=share)
        before, self.times = self.times, max(times, self.times)
        return times > before

    def _share(self, first_epoch: int) -> float:
        epochs, steps = self._params.get("epochs", 0) - first_epoch, self._params.get("steps")
        if epochs <= 0:
            return 0.0
        return self._steps / (steps * epochs) if steps else self._epochs / epochs


def look_as_often_as(when: When, callback: Callback, own: type[Callback]) -> None:
    """Let a callback look after each step only if it needs to: a hook that is there costs logs at every step.

    Args:
        when: what the callback waits for.
        callback: overrides `on_train_batch_end`.
        own: the class that does so; a subclass that overrides it again keeps its own.
    """
    callback.every_step = when.unit == "steps"
    if when.unit == "epochs" and type(callback).on_train_batch_end is own.on_train_batch_end:
        callback.on_train_batch_end = Callback.on_train_batch_end.__get__(callback)
