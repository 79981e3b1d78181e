"""Ending a fit at the first step whose loss is no finite number."""

import math
from collections.abc import Mapping
from typing import Any

from ._callback import Callback, Stop


class TerminateOnNaN(Callback):
    """Ends the fit when a step's loss is NaN or infinite.

    It reads `loss` after every step, or every log if there is no `loss`, and so waits for the device each time.
    `fit(nonfinite="warn")` and `"raise"` look at each epoch's end only and cost nothing.

    Example:
        >>> guard = TerminateOnNaN()
        >>> guard.on_train_batch_end(7, {"loss": float("nan")})
        Stop(reason='`loss` became nan in epoch 0, batch 7 (both counted from 0).')
    """

    def __init__(self) -> None:
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch, for the message."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> Stop | None:
        """End the fit if the loss is not finite."""
        for name, value in _watched(logs or {}).items():
            if not math.isfinite(value):
                return Stop(f"`{name}` became {value} in epoch {self._epoch}, batch {batch} (both counted from 0).")
        return None


def _watched(logs: Mapping[str, float]) -> Mapping[str, float]:
    return {"loss": logs["loss"]} if "loss" in logs else logs
