"""Ending a fit when a log stops improving."""

import dataclasses
import math
import warnings
from typing import Any

from .._errors import did_you_mean, listing
from ._callback import Callback, Stop

_MODES = ("auto", "min", "max")


class EarlyStopping(Callback):
    """Ends the fit when a log has not improved for `patience` epochs.

    A value improves when it is better than the best so far by more than `min_delta`; NaN never improves. The first epoch
    never ends the fit.

    Args:
        monitor: the log to watch, like `val_loss` or `val_accuracy`. Epochs without validation do not count for `val_` logs.
        min_delta: the least change that counts as better, in units of the log; `>= 0`.
        patience: epochs without improvement after which the fit ends; `>= 0`, 0 and 1 are the same.
        verbose: 1 prints when the fit ends and what is restored; 0 is silent.
        mode: "min" if lower is better, "max" if higher is, "auto" asks the loss or metric behind the log.
        baseline: a value that the log must beat for the waiting to begin anew; None asks for nothing.
        restore_best_weights: whether the model ends with the parameters and states of the best epoch, also after Ctrl-C.
        start_from_epoch: epochs before this one do not count.

    Attributes:
        best: the best value so far, None before the first.
        best_epoch: its epoch, from 0.
        stopped_epoch: the epoch that ended the fit, 0 if none did.
        wait: epochs since the last improvement.

    Raises:
        ValueError: an argument is out of range; at the fit's begin if "auto" finds no direction; at the first epoch's end
            if there is no such log.

    Example:
        >>> stopping = EarlyStopping("loss", patience=2, mode="min")
        >>> stopping.on_train_begin()
        >>> answers = [stopping.on_epoch_end(e, {"loss": loss}) for e, loss in enumerate([0.5, 0.4, 0.45, 0.41])]
        >>> answers[-1]
        Stop(reason='`loss` has not improved on 0.4 since epoch 1 (counted from 0).')
        >>> stopping.best, stopping.best_epoch, stopping.stopped_epoch
        (0.4, 1, 3)
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
                f"`EarlyStopping(mode={mode!r})` was asked for. The modes are: {listing(_MODES)}. Use one of these."
                + did_you_mean(str(mode), _MODES)
            )
        for name, value in {"min_delta": min_delta, "patience": patience, "start_from_epoch": start_from_epoch}.items():
            if value < 0:
                raise ValueError(
                    f"`EarlyStopping({name}={value!r})` was asked for. It is counted from 0 up. Give 0 or more."
                )
        self.monitor = monitor
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget earlier fits, and find out which direction is better."""
        del logs
        self._reset()
        self._sign = self._direction()

    def on_epoch_end(self, epoch: int, logs: Any = None, run: Any = None) -> Stop | None:
        """Look at the log; end the fit if it has not improved for too long.

        Args:
            epoch: its number, from 0.
            logs: of the epoch.
            run: where the state to restore comes from.
        """
        self._epochs += 1
        current = self._value(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return None
        self.wait += 1
        improved = self._improves(current, self.best)
        if self.restore_best_weights and run is not None and (improved or self._kept is None):
            state = run.state
            self._kept = (state.parameters, state.states)
            self.best_epoch = epoch
        if improved:
            self.best, self.best_epoch = current, epoch
            if self._improves(current, self.baseline):
                self.wait = 0
                return None
        if self.wait < self.patience or epoch == 0:
            return None
        self.stopped_epoch = epoch
        return Stop(self._reason())

    def on_train_end(self, logs: Any = None, run: Any = None) -> None:
        """Put the best epoch's arrays into the model, if asked to.

        Args:
            logs: not looked at.
            run: the run whose state goes on.
        """
        del logs
        if self._epochs and not self._seen:
            warnings.warn(
                f"`EarlyStopping` watches `{self.monitor}`. None of the {self._epochs} epochs had it, since none was "
                "validated. Give `fit` `validation_data=` or `validation_split=`, or watch another log.",
                stacklevel=2,
            )
        if self.verbose and self.stopped_epoch:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self._kept is None or run is None:
            return
        if self.verbose:
            print(f"Restoring the parameters of the end of epoch {self.best_epoch + 1}, the best one.")
        parameters, states = self._kept
        self.model.state = dataclasses.replace(run.state, parameters=parameters, states=states)
        self._kept = None

    def _reset(self) -> None:
        self.best: float | None = None
        self.best_epoch = 0
        self.stopped_epoch = 0
        self.wait = 0
        self._sign = 1.0 if self.mode == "max" else -1.0
        self._epochs = 0
        self._seen = False
        self._kept: tuple[Any, Any] | None = None

    def _direction(self) -> float:
        """1 if higher is better, -1 if lower is."""
        if self.mode != "auto":
            return 1.0 if self.mode == "max" else -1.0
        better = self.model.better(self.monitor) if self.model is not None else None
        if better is None:
            raise ValueError(
                f"`EarlyStopping(monitor={self.monitor!r})` was asked for. Nothing says whether lower or "
                "higher is better "
                'there. Give `mode="min"` or `mode="max"`.'
            )
        return 1.0 if better == "higher" else -1.0

    def _value(self, logs: Any) -> float | None:
        """The watched value, or None if this epoch cannot have it."""
        if self.monitor in logs:
            self._seen = True
            return float(logs[self.monitor])
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            return None
        raise ValueError(
            f"`EarlyStopping` watches `{self.monitor}`. The logs are: {listing(logs)}. Watch one of these."
            + did_you_mean(self.monitor, logs)
        )

    def _improves(self, value: float, reference: float | None) -> bool:
        if math.isnan(value):
            return False
        return reference is None or self._sign * (value - reference) > self.min_delta

    def _reason(self) -> str:
        if self.best is None:
            return f"`{self.monitor}` was never a number."
        if not self._improves(self.best, self.baseline):
            return f"`{self.monitor}` has not reached the baseline {self.baseline:.4g}; the best was {self.best:.4g}."
        return f"`{self.monitor}` has not improved on {self.best:.4g} since epoch {self.best_epoch} (counted from 0)."
