"""End a fit that has stopped getting better, and go back to its best epoch."""

import dataclasses
import math
import warnings
from collections.abc import Mapping
from typing import Any

from .._errors import did_you_mean, listing
from ._callback import Callback, Stop

_MODES = ("auto", "min", "max")


class EarlyStopping(Callback):
    """Ends the fit when a log has not improved for some epochs; the arguments and their meaning are Keras'.

    An epoch improves if it beats the best one so far by more than `min_delta`. NaN never does.

    Args:
        monitor: name of the log to watch. A `val_` name is looked at in the epochs that were validated.
        min_delta: how much better counts as better, in units of the log; its sign does not matter.
        patience: how many epochs without an improvement are waited for; `>= 0`.
        verbose: 1 prints a line when the fit was ended and when the best epoch is restored.
        mode: "min" if the log should fall, "max" if it should rise; "auto" asks the loss or metric itself.
        baseline: improvements count only once this value is beaten too; None for no baseline.
        restore_best_weights: go back to the parameters and states of the best epoch when the fit ends, for whatever
            reason short of an exception: after a stop, after the last epoch, and after Ctrl-C.
        start_from_epoch: how many epochs to let pass before watching.

    Attributes:
        best: the best value so far, or None.
        best_epoch: its epoch, counted from 0.
        wait: epochs since the last improvement.
        stopped_epoch: the epoch at whose end the fit was ended, counted from 0; 0 if it was not.

    Raises:
        ValueError: an argument is out of range; while the fit runs: no log is called `monitor`, or `mode="auto"` and
            nobody knows its direction.

    Example:
        >>> callback = EarlyStopping(monitor="loss", mode="min", patience=1)
        >>> callback.on_train_begin()
        >>> for epoch, loss in enumerate([0.5, 0.4, 0.45]):
        ...     answer = callback.on_epoch_end(epoch, {"loss": loss})
        >>> answer
        Stop(reason='`loss` has not improved for 1 epoch; the best was 0.4 in epoch 2')
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(
                f"EarlyStopping got `mode={mode!r}`. The modes are: {listing(_MODES)}. Use one of these."
                + did_you_mean(str(mode), _MODES)
            )
        if not isinstance(monitor, str):
            raise TypeError(
                f'EarlyStopping got `monitor={monitor!r}`. It watches a log by its name. Write `monitor="val_loss"`.'
            )
        for name, count in {"patience": patience, "start_from_epoch": start_from_epoch}.items():
            if isinstance(count, bool) or int(count) != count or count < 0:
                raise ValueError(f"EarlyStopping got `{name}={count!r}`. It counts epochs. Give a whole number from 0.")
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start anew, so that one instance serves several fits."""
        del logs
        self.best: float | None = None
        self.best_epoch = 0
        self.wait = 0
        self.stopped_epoch = 0
        self._best_state: Any = None
        self._sign = {"min": 1.0, "max": -1.0}.get(self.mode)
        self._seen = False
        self._unvalidated = False

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> Stop | None:
        """Compare the epoch with the best one."""
        current = self._value(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return None
        self.wait += 1
        if self._is_better(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self._best_state = self.model.state  # a copy that the fit never touches again
            if self.baseline is None or self._is_better(current, self.baseline):
                self.wait = 0
            return None
        return self._stop(epoch) if self.wait >= self.patience and epoch > 0 else None

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Restore the best epoch."""
        del logs
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        best, self._best_state = self._best_state, None
        if best is not None:
            if self.verbose:
                print(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            now = self.model.state
            self.model.state = dataclasses.replace(now, parameters=best.parameters, states=best.states)
        if self._unvalidated and not self._seen:
            warnings.warn(
                f"EarlyStopping watches `{self.monitor}`. No epoch was validated, so it never looked at anything. "
                "Give `validation_data=` or `validation_split=`, or watch another log.",
                stacklevel=2,
            )

    def _stop(self, epoch: int) -> Stop:
        self.stopped_epoch = epoch
        if self.model is not None:  # so that a subclass that drops the answer ends the fit too
            self.model.stop_training = True
        epochs = f"{self.wait} epoch{'s' if self.wait > 1 else ''}"
        best = "none was a number"
        if self.best is not None:
            best = f"the best was {self.best:.6g} in epoch {self.best_epoch + 1}"
        return Stop(f"`{self.monitor}` has not improved for {epochs}; {best}")

    def _value(self, logs: Mapping[str, Any]) -> float | None:
        """The log to watch; None if this epoch does not have it for a good reason."""
        if self.monitor in logs:
            self._seen = True
            return float(logs[self.monitor])
        validated = any(name.startswith("val_") for name in logs)
        if self.monitor.startswith("val_") and not validated:
            self._unvalidated = True
        elif not self._seen:
            raise ValueError(
                f"EarlyStopping watches `{self.monitor}`, which this fit does not log. The logs are: {listing(logs)}. "
                f"Give one of these as `monitor=`.{did_you_mean(self.monitor, logs)}"
            )
        return None

    def _is_better(self, value: float, reference: float | None) -> bool:
        if self._sign is None:
            self._sign = self._declared_sign()
        if math.isnan(value):
            return False
        return reference is None or self._sign * value + self.min_delta < self._sign * reference

    def _declared_sign(self) -> float:
        better = self.model.better(self.monitor) if self.model is not None else None
        if better is None:
            raise ValueError(
                f'EarlyStopping watches `{self.monitor}` with `mode="auto"`. No loss or metric says whether that log '
                'should rise or fall. Give `mode="min"` if lower is better, or `mode="max"` if higher is.'
            )
        return 1.0 if better == "lower" else -1.0
