"""What `fit` returns: the logs of every epoch."""

from typing import Any

from ._callback import Callback


class History(Callback):
    """Keeps the logs of each epoch; `fit` makes one and returns it.

    Attributes:
        history: by log name a list of Python floats, one for each epoch that has the log; those of validation hold
            validated epochs only.
        epoch: the numbers of the epochs that ended, from 0.
        params: `{"verbose", "epochs", "steps"}` of the fit.
        interrupted: whether Ctrl-C ended the fit.

    Example:
        >>> history = History()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.on_epoch_end(1, {"loss": 0.25, "val_loss": 0.3})
        >>> history.history
        {'loss': [0.5, 0.25], 'val_loss': [0.3]}
        >>> history
        History(2 epochs, loss=0.25, val_loss=0.3)
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.interrupted = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Start anew."""
        del logs
        self.history, self.epoch, self.interrupted = {}, [], False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the epoch's logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))

    def __repr__(self) -> str:
        """The number of epochs, and the newest value of each log."""
        count = len(self.epoch)
        parts = [f"{count} epoch{'' if count == 1 else 's'}"]
        parts += [f"{name}={values[-1]:.4g}" for name, values in self.history.items()]
        return f"History({', '.join(parts)}{', interrupted' if self.interrupted else ''})"
