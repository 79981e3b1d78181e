"""The record of a fit: what every epoch logged."""

from collections.abc import Callable, Mapping
from typing import Any

from ._callback import Callback


class History(Callback):
    """Keeps the logs of every epoch; `fit` makes one and returns it.

    Attributes:
        history: by log name one Python float per epoch that logged it, so that `val_` lists are shorter if not every
            epoch was validated.
        epoch: the epochs that ended, counted from 0.
        params: `verbose`, `epochs` and `steps` of the fit.
        interrupted: whether Ctrl-C ended the fit.
        stop_reason: why the fit ended before its time, in words: of `elegy.Stop`, or of `nonfinite="stop"`; None if it
            did not.
        read_steps: makes what `steps` is.

    Example:
        >>> history = History()
        >>> history.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75})
        >>> history.on_epoch_end(1, {"loss": 0.25})
        >>> history.history
        {'loss': [0.5, 0.25], 'val_loss': [0.75]}
        >>> history
        History(epochs=2, loss=0.25, val_loss=0.75)
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.interrupted = False
        self.stop_reason: str | None = None
        self.read_steps: Callable[[], dict[str, list[Any]]] = dict

    @property
    def steps(self) -> dict[str, list[Any]]:
        """After `fit(step_logs=True)` what each step of the fit logged, else nothing.

        By log name one float a step: each loss of that very step, each metric as it ran; and as `step` the number of
        each step, counted from 0 over all fits of the model (a log that is called `step` itself is `step_1`). The
        numbers come from the device when this is read.
        """
        return self.read_steps()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start an empty record."""
        del logs
        self.history = {}
        self.epoch = []
        self.interrupted = False
        self.stop_reason = None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Add the logs of an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))

    def __repr__(self) -> str:
        newest = [f"{name}={values[-1]:.4g}" for name, values in self.history.items()]
        interrupted = ["interrupted=True"] if self.interrupted else []
        return f"History({', '.join([f'epochs={len(self.epoch)}', *newest, *interrupted])})"
