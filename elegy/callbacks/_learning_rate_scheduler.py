"""Set the learning rate at the beginning of every epoch."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._errors import short_type
from .._inject import wants
from ._callback import Callback


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch to what a function says, before its first step, as Keras does.

    For a rate that changes with every step, give the optimizer an Optax schedule instead.

    Args:
        schedule: `schedule(epoch)`, or `schedule(epoch, learning_rate)` if it takes two arguments by position; the
            epoch counts from 0. It returns the new learning rate, a finite number.
        verbose: 1 prints a line an epoch.

    Raises:
        TypeError: the schedule is no function, or does not return a number.
        ValueError: it returns NaN or infinity; or, as the fit begins, the optimizer hides its learning rate.

    Example:
        >>> import types
        >>> callback = LearningRateScheduler(lambda epoch, learning_rate: learning_rate / 2)
        >>> callback.set_model(types.SimpleNamespace(learning_rate=0.1))
        >>> callback.on_epoch_begin(0)
        >>> callback.model.learning_rate
        0.05
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(
                f"LearningRateScheduler got `schedule={schedule!r}`. A schedule is a function of the epoch. "
                "Write `LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))`."
            )
        asked = wants(schedule)
        self._takes_rate = len(asked.positional) > 1 or asked.var_positional
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Set the learning rate of an epoch."""
        del logs
        rate = self.schedule(epoch, self.model.learning_rate) if self._takes_rate else self.schedule(epoch)
        self.model.learning_rate = rate = self._checked(epoch, rate)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:.6g}.")

    def _checked(self, epoch: int, rate: Any) -> float:
        number = np.asarray(rate)
        if number.shape != () or number.dtype.kind not in "fiu":
            raise TypeError(
                f"The schedule of LearningRateScheduler returned {short_type(rate)} for epoch {epoch}. A learning rate "
                "is one number. Return a float."
            )
        if not math.isfinite(number):
            raise ValueError(
                f"The schedule of LearningRateScheduler returned {rate} for epoch {epoch}. No step can be made with "
                "that. Return a finite number."
            )
        return float(number)
