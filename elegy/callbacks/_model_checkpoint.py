"""Save the weights while a model trains."""

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from .._errors import did_you_mean, listing
from .._when import When
from ._callback import Callback
from ._monitor import Monitor
from ._path_template import PathTemplate
from ._schedule import Schedule, look_as_often_as

_ARGUMENTS = ("path", "monitor", "verbose", "save_best_only", "mode", "save_freq", "initial_value_threshold")
_ELSEWHERE = {
    "period": 'Write `save_freq="2 epochs"` for `period=2`.',
    "save_weights_only": "It always saves parameters and states, and nothing else; leave it out.",
    "filepath": "Here it is called `path`.",
}


class ModelCheckpoint(Callback):
    """Saves parameters and states with `model.save_weights`, after every epoch or as often as `save_freq` says.

    A file is whole or not there at all, whatever ends the program; one of the same name is replaced when the new one
    is complete. `model.load_weights` reads it.

    Args:
        path: the file, with braces for values: `weights/{epoch:02d}-{val_loss:.2f}.safetensors`. There are `epoch`
            and, in saves between epochs, `batch`, both counted from 1 as in Keras, and every log; a name like
            `{val_acc/x:.2f}` too. Folders are made.
        monitor: with `save_best_only`, name of the log to compare.
        verbose: 1 prints a line at each save.
        save_best_only: save only if `monitor` is better than at every earlier save of this fit.
        mode: with `save_best_only`, "min" if the log should fall, "max" if it should rise; "auto" asks the loss or
            metric itself.
        save_freq: "epoch", how many steps, or an `elegy.When` or its text, like "2 epochs", "500 steps" or "10 min".
            Saves between epochs know the logs of their step: the running metrics, nothing of the validation.
        initial_value_threshold: with `save_best_only`, what the first save has to beat; None for nothing.

    Attributes:
        best: the value of `monitor` at the last save, or None.

    Raises:
        TypeError: an argument does not exist.
        ValueError: an argument is out of range, would have no effect, or is no template; while the fit runs: the
            template or `monitor` names no log, or `mode="auto"` and nobody knows the direction.
        OSError: as the fit begins, nothing can be written there.

    Example:
        >>> import elegy, numpy as np, pathlib, tempfile
        >>> folder, x = pathlib.Path(tempfile.mkdtemp()), np.ones((4, 1), "float32")
        >>> model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
        >>> save = ModelCheckpoint(folder / "{epoch:02d}.safetensors", save_freq="2 epochs")
        >>> history = model.fit(x, x, epochs=4, callbacks=save, verbose=0)
        >>> sorted(file.name for file in folder.iterdir())
        ['02.safetensors', '04.safetensors']
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int | When = "epoch",
        initial_value_threshold: float | None = None,
        **unknown: Any,
    ) -> None:
        _refuse(unknown)
        self._template = PathTemplate("ModelCheckpoint", path)
        self._monitor = Monitor("ModelCheckpoint", monitor, mode)
        self._schedule = Schedule(When(save_freq, number="steps"))
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.initial_value_threshold = initial_value_threshold
        self._check_monitor(monitor, mode)
        self._start_anew()
        look_as_often_as(self._schedule.when, self, ModelCheckpoint)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start anew, and make sure that the folder is there and can be written to.

        Raises:
            OSError: it cannot.
        """
        del logs
        self._start_anew()
        self._schedule.begin(self.params)
        folder = self._template.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise OSError(
                f"ModelCheckpoint is to write to `{self._template.text}`. Nothing can be written to the folder "
                f"`{folder}`: {error}. Choose another path, or make that one writable."
            ) from error
        if not self._template.names and os.path.isdir(self._template.text):
            raise OSError(
                f"ModelCheckpoint is to write to `{self._template.text}`. That is a folder. "
                "Give the name of a file in it, like `{epoch:02d}.safetensors`."
            )

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note which epoch runs."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Save after a step, if it is time."""
        self._counts = {"epoch": self._epoch + 1, "batch": batch + 1}
        if not self._is_checked:  # at the first step, not hours later
            self._check(logs or {})
            self._is_checked = True
        if self._schedule.is_due_after_step(self._epoch):
            self._save(logs or {})

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Save after an epoch, if it is time."""
        if self._schedule.when.unit == "epochs":
            self._counts = {"epoch": epoch + 1}
            self._check(logs or {})
        if self._schedule.is_due_after_epoch(epoch):
            self._save(logs or {})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Say it if there was nothing to compare."""
        del logs
        self._schedule.end()
        self._monitor.warn_if_unseen()

    def on_exception(self, exception: BaseException) -> None:
        """Stop the clock."""
        del exception
        self._schedule.end()

    def state(self) -> dict[str, Any]:
        """The best value, and what was counted since the fit began."""
        best = {} if self.best is None else {"best": self.best}
        return {**best, "schedule": self._schedule.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Compare with the best value of an earlier part of the fit, and count on."""
        self.best = float(state["best"]) if "best" in state else None
        self._monitor.reset(seen=self.best is not None)
        self._schedule.restore(state["schedule"])

    def _check_monitor(self, monitor: str, mode: str) -> None:
        idle = {"monitor": monitor, "mode": mode, "initial_value_threshold": self.initial_value_threshold}
        for name, default in {"monitor": "val_loss", "mode": "auto", "initial_value_threshold": None}.items():
            if not self.save_best_only and idle[name] != default:
                raise ValueError(
                    f"ModelCheckpoint got `{name}={idle[name]!r}`. Without `save_best_only=True` nothing is compared: "
                    "every save is made. Add it, or leave this out."
                )
        if self.save_best_only and monitor.startswith("val_") and self._schedule.when.unit != "epochs":
            raise ValueError(
                f"ModelCheckpoint got `save_freq={str(self._schedule.when)!r}` and watches `{monitor}`. That log "
                'exists at the end of an epoch only. Write `save_freq="epoch"`, or watch a log of the training.'
            )

    def _start_anew(self) -> None:
        self.best = self.initial_value_threshold
        self._epoch = 0
        self._counts: dict[str, int] = {}
        self._is_checked = False
        self._monitor.reset()

    def _check(self, logs: Mapping[str, Any]) -> None:
        """Find out whether a save would work, also when it is not time yet; epochs without validation may pass."""
        may_come = "batch" not in self._counts and not any(name.startswith("val_") for name in logs)
        self._template.check([*self._counts, *logs], but="val_" if may_come else None)
        if self.save_best_only:
            self._monitor.value(logs, self.model)

    def _save(self, logs: Mapping[str, Any]) -> None:
        current = self._monitor.value(logs, self.model) if self.save_best_only else None
        if self.save_best_only and (current is None or not self._monitor.is_better(current, than=self.best)):
            return
        path = self._template.filled({**logs, **self._counts})
        path.parent.mkdir(parents=True, exist_ok=True)
        self.model.save_weights(path)
        reason = ""
        if current is not None:
            self.best = current
            reason = f", since `{self._monitor.name}` is {current:.6g}, the best so far"
        if self.verbose:
            print(f"Epoch {self._counts['epoch']}: saved the weights to {path}{reason}.")


def _refuse(unknown: Mapping[str, Any]) -> None:
    for name in unknown:
        raise TypeError(
            f"ModelCheckpoint was given `{name}=`, which does not exist. It takes: {listing(_ARGUMENTS)}. "
            + _ELSEWHERE.get(name, "Leave it out." + did_you_mean(name, _ARGUMENTS))
        )
