"""Logs as curves in TensorBoard."""

import collections
import os
import time
from collections.abc import Mapping
from typing import Any, Literal

import jax
import numpy as np

from .._logs import LazyLogs
from .._paths import flatten, join
from ._callback import Callback
from ._event_file import EventFile
from ._tensorboard_arguments import (
    checked_hparams,
    default_folder,
    every_steps,
    refuse_unknown,
    require_library,
    whole,
)


class TensorBoard(Callback):
    """Writes logs for TensorBoard: `tensorboard --logdir logs` shows them as curves, also while the fit runs.

    Scalars go to `<logdir>/train` and `<logdir>/validation`, of several validation sets to
    `<logdir>/validation_<name>`. Their tags are the log names without `val_`, so that training and validation share a
    chart: `loss`, `some_complex_function_loss/a`, `learning_rate`. What modules add with `add_metric` and `add_summary`
    comes under its log name. `evaluate(..., callbacks=TensorBoard(logdir))` adds a point to `validation`.

    Each fit goes on in step numbers where the last one with the same object ended. With `update_freq="epoch"` no step
    is slowed down: nothing is fetched before an epoch ends. In the other modes values are written once they have
    arrived; no step waits for them. Files are flushed at the end of each epoch and closed with the fit.

    It is a logger: a full disk is one warning and never ends a fit. It needs `pip install "elegy[tensorboard]"`.

    Args:
        logdir: the folder of this run; None is `runs/<time>_<host><comment>`.
        update_freq: how often training is logged: `"epoch"`, the exact values of each epoch, numbered by epochs from 0;
            `"batch"`, or an integer n for every n-th step: each loss of that step and the running metrics, numbered by
            the training steps done, and then the epoch's validation at its last step.
        histogram_freq: write histograms of the parameters (`parameters/linear/w`), and of the arrays that modules gave
            to `add_summary` in the last step (`summaries/...`), every n-th epoch; 0 writes none. With it each step
            returns its summaries.
        hparams: by name numbers, bools and strings that describe the run, for the HParams dashboard, which shows them
            beside the last value of every log.
        purge_step: hide what earlier runs wrote to the same folders from this step on.
        comment: the end of the default folder's name.

    Raises:
        ImportError: tensorboardX is not installed.
        TypeError: an argument is unknown, or of the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import elegy, tempfile, os, numpy as np
        >>> logdir = tempfile.mkdtemp()
        >>> x = np.ones((8, 3), "float32")
        >>> model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
        >>> history = model.fit(
        ...     x, x[:, :1], verbose=0, validation_data=(x, x[:, :1]), callbacks=elegy.callbacks.TensorBoard(logdir)
        ... )
        >>> sorted(os.listdir(logdir))
        ['train', 'validation']
    """

    is_logger = True

    def __init__(
        self,
        logdir: str | os.PathLike[str] | None = None,
        *,
        update_freq: Literal["epoch", "batch"] | int = "epoch",
        histogram_freq: int = 0,
        hparams: Mapping[str, Any] | None = None,
        purge_step: int | None = None,
        comment: str = "",
        **unknown: Any,
    ) -> None:
        refuse_unknown(unknown)
        require_library()
        if logdir is not None and comment:
            raise ValueError(
                f"TensorBoard got `logdir={str(logdir)!r}` and `comment={comment!r}`. A comment is the end of the "
                "default folder's name. Give one of them."
            )
        self.logdir = default_folder(comment) if logdir is None else os.fspath(logdir)
        self.update_freq = update_freq
        self.histogram_freq = whole("histogram_freq", histogram_freq)
        self.hparams = checked_hparams(hparams)
        self.purge_step = None if purge_step is None else whole("purge_step", purge_step)
        self._every = every_steps(update_freq)
        self._files: dict[str, EventFile] = {}
        self._opened: set[str] = set()
        self._newest = -1
        self._begin()
        hook: Any = self._step_with_summaries if self.histogram_freq else self._step
        if self.histogram_freq or self._every is not None:
            self.on_train_batch_end = hook  # otherwise it is not overridden, and no step need return its logs

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start a record, and write the hyper-parameters of the first fit."""
        del logs
        self._begin()
        if self.hparams and "" not in self._opened:
            self._file("").session_start(self.hparams)

    def on_test_end(
        self, logs: Mapping[str, Any] | None = None, step: int = 0, epoch: int = 0, run: Any = None
    ) -> None:
        """Note which logs are of which validation set; outside a fit, write them."""
        if run is not None:
            prefix = logs.prefix if isinstance(logs, LazyLogs) else "val_"
            self._validations[prefix] = frozenset(logs or ())
            return
        number = (epoch if self._every is None else step) + (self._shift or 0)
        try:
            self._file("validation").scalars(dict(logs or {}), number)
        finally:
            self._close()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None, run: Any = None) -> None:
        """Write the logs of an epoch."""
        number = self._numbered(epoch) if self._every is None else max(self._newest, 0)
        self._write_steps(wait=True)
        for folder, values in self._sorted(logs or {}).items():
            self._file(folder).scalars(values, number)
        if self.histogram_freq and (epoch + 1) % self.histogram_freq == 0 and run is not None:
            summaries = {f"summaries/{name}": value for name, value in self._summaries.items() if np.ndim(value)}
            parameters = {join("parameters", path): leaf for path, leaf in flatten(run.state.parameters).items()}
            self._file("train").histograms(jax.device_get({**parameters, **summaries}), number)
        for file in self._files.values():
            file.flush()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Close the files."""
        del logs
        try:
            self._write_steps(wait=True)
            if self.hparams:
                self._file("").session_end()
        finally:
            self._close()

    def on_exception(self, exception: BaseException) -> None:
        """Write what has arrived, and close the files."""
        del exception
        try:
            self._write_steps(wait=False)
        finally:
            self._close()

    def _step(self, logs: Mapping[str, Any], step: int) -> None:
        """Note the logs of a step, and write those of earlier steps that have arrived."""
        number = self._numbered(step + 1)
        if not self._names_of_steps:
            self._names_of_steps = frozenset(logs)
        if self._every is not None and number % self._every == 0:
            self._steps.append((number, time.time(), logs))
        self._write_steps(wait=False)

    def _step_with_summaries(self, logs: Mapping[str, Any], step: int, summaries: Any = None) -> None:
        self._summaries = summaries or {}
        if self._every is not None:
            self._step(logs, step)

    def _begin(self) -> None:
        self._shift: int | None = None
        self._validations: dict[str, frozenset[str]] = {}
        self._names_of_steps: frozenset[str] = frozenset()
        self._summaries: Mapping[str, Any] = {}
        self._steps: collections.deque[tuple[int, float, Mapping[str, Any]]] = collections.deque()

    def _numbered(self, natural: int) -> int:
        """A number of this fit, moved on if an earlier fit has used it."""
        if self._shift is None:
            self._shift = max(0, self._newest + 1 - natural)
        self._newest = natural + self._shift
        return self._newest

    def _write_steps(self, wait: bool) -> None:
        """Write the logs of steps in order; without waiting, up to the first that the device has not finished."""
        while self._steps:
            number, seconds, logs = self._steps[0]
            if not wait and isinstance(logs, LazyLogs) and not logs.ready():
                return
            self._steps.popleft()
            self._file("train").scalars(dict(logs), number, seconds)

    def _sorted(self, logs: Mapping[str, Any]) -> dict[str, dict[str, float]]:
        """By folder and tag the logs of an epoch, without those that the steps have written."""
        validations, self._validations = self._validations, {}
        folders: dict[str, dict[str, float]] = {}
        for name, value in logs.items():
            prefix = _prefix_of(name, validations, logs)
            if prefix or name not in self._names_of_steps:
                folder = f"validation{prefix[len('val') : -1]}" if prefix else "train"
                folders.setdefault(folder, {})[name.removeprefix(prefix)] = value
        return folders

    def _file(self, folder: str) -> EventFile:
        if folder not in self._files:
            purge_step = None if folder in self._opened else self.purge_step
            self._files[folder] = EventFile(os.path.join(self.logdir, folder) if folder else self.logdir, purge_step)
            self._opened.add(folder)
        return self._files[folder]

    def _close(self) -> None:
        files, self._files = self._files, {}
        for file in files.values():
            file.close()


def _prefix_of(name: str, validations: Mapping[str, frozenset[str]], logs: Mapping[str, Any]) -> str:
    """The prefix of the validation set that a log is of, or an empty string.

    The sets say so themselves. A log that a callback added, like `val_f1`, belongs to the set whose prefix it has,
    unless the model logs it in training too: then there is a `val_val_f1`.
    """
    for prefix, names in validations.items():
        if name in names:
            return prefix
    prefixes = sorted({*validations, "val_"}, key=len, reverse=True) if validations else []
    return next((p for p in prefixes if name.startswith(p) and name != p and p + name not in logs), "")
