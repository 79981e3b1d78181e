"""End a fit whose loss is no number any more."""

import math
from collections.abc import Mapping
from typing import Any

from ._callback import Callback, Stop


class TerminateOnNaN(Callback):
    """Ends the fit after the first step whose loss is NaN or infinite.

    It looks at every step's loss, so the host waits for the device at every launch.

    Example:
        >>> callback = TerminateOnNaN()
        >>> callback.on_train_batch_end(7, {"loss": float("nan")})
        Stop(reason='the loss is nan in epoch 1, batch 8 (counted from 1)')
    """

    def __init__(self) -> None:
        self._epoch = 0
        self._reason = ""

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Forget the last fit."""
        del logs
        self._reason = ""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note which epoch runs."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> Stop | None:
        """Look at the loss of a step."""
        loss = (logs or {}).get("loss", 0.0)
        if math.isfinite(loss):
            return None
        self._reason = f"the loss is {loss} in epoch {self._epoch + 1}, batch {batch + 1} (counted from 1)"
        if self.model is not None:  # so that a subclass that drops the answer ends the fit too
            self.model.stop_training = True
        return Stop(self._reason)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Say why the fit ended, unless it is silent."""
        del logs
        if self._reason and self.params.get("verbose"):
            print(f"The fit ended: {self._reason}.")
