"""End a fit that has stopped getting better, and go back to its best epoch."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from ._callback import Callback, Stop
from ._monitor import Monitor, require_epochs


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
            reason: a stop, the last epoch, Ctrl-C, or an exception, which is raised all the same.
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
        self._monitor = Monitor("EarlyStopping", monitor, mode, min_delta=min_delta)
        require_epochs("EarlyStopping", patience=patience, start_from_epoch=start_from_epoch)
        self.patience = patience
        self.verbose = verbose
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
        self._kept: dict[str, Any] = {}
        self._monitor.reset()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> Stop | None:
        """Compare the epoch with the best one."""
        current = self._monitor.value(logs or {}, self.model)
        if current is None or epoch < self.start_from_epoch:
            return None
        self.wait += 1
        if self._monitor.is_better(current, than=self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                state = self.model.state  # a copy that the fit never touches again
                kept = {"parameters": state.parameters, "states": state.states, "ema": state.ema}
                self._kept = {name: tree for name, tree in kept.items() if tree is not None}
            if self.baseline is None or self._monitor.is_better(current, than=self.baseline):
                self.wait = 0
            return None
        return self._stop(epoch) if self.wait >= self.patience and epoch > 0 else None

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Restore the best epoch."""
        del logs
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        self._go_back()
        self._monitor.warn_if_unseen()

    def on_exception(self, exception: BaseException) -> None:
        """Restore the best epoch too: what a fit leaves behind does not depend on how it ended."""
        del exception
        self._go_back()

    def state(self) -> dict[str, Any]:
        """The best epoch, with its arrays if they are to be restored, and the epochs waited since."""
        best = {} if self.best is None else {"best": self.best}
        return {**best, "best_epoch": self.best_epoch, "wait": self.wait, **self._kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Compare with the best epoch of an earlier part of the fit, and wait on."""
        self.best = float(state["best"]) if "best" in state else None
        self.best_epoch, self.wait = int(state["best_epoch"]), int(state["wait"])
        self._kept = {name: state[name] for name in ("parameters", "states", "ema") if name in state}
        self._monitor.reset(seen=self.best is not None)

    def _go_back(self) -> None:
        kept, self._kept = self._kept, {}
        if kept:
            if self.verbose:
                print(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            self.model.state = dataclasses.replace(self.model.state, **kept)

    def _stop(self, epoch: int) -> Stop:
        self.stopped_epoch = epoch
        if self.model is not None:  # so that a subclass that drops the answer ends the fit too
            self.model.stop_training = True
        epochs = f"{self.wait} epoch{'s' if self.wait > 1 else ''}"
        best = "none was a number"
        if self.best is not None:
            best = f"the best was {self.best:.6g} in epoch {self.best_epoch + 1}"
        return Stop(f"`{self._monitor.name}` has not improved for {epochs}; {best}")
