"""What each step of a fit logged: the buffers of the launches, fetched many at once."""

from typing import Any

import jax
import numpy as np

from ._launches import Launch
from ._logs import Logs
from ._names import unique_name
from ._replay import columns_of
from ._told import Told
from .data import Batch

_WAITING = 64  # launches whose logs are fetched together
_RUNNING = 2  # the newest launches may still run; nobody waits for them
_NUMBERS = "step"


class StepRecord:
    """Collects the logs of every step of a fit, without waiting for launches that may still run."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int | None, Logs]] = []
        self._fetched: list[dict[str, np.ndarray]] = []
        self._read: dict[str, list[Any]] = {}

    def add(self, step: int, told: Told, launch: Launch) -> None:
        """Note what a launch told.

        Args:
            step: the number of its first step.
            told: what its steps told.
            launch: the launch.
        """
        self._read = {}
        self._waiting.append((step, None if isinstance(launch.feed, Batch) else launch.count, told.logs))
        if len(self._waiting) >= _WAITING + _RUNNING:
            self._fetch(_WAITING)

    def read(self) -> dict[str, list[Any]]:
        """The numbers of the steps as `step`, and by log name one float a step; NaN where a step has no such log."""
        self._fetch(len(self._waiting))
        if not self._read:
            names = dict.fromkeys(name for columns in self._fetched for name in columns)
            self._read = {name: np.concatenate([_column(c, name) for c in self._fetched]).tolist() for name in names}
        return self._read

    def _fetch(self, count: int) -> None:
        """Fetch the logs of the oldest launches, all at once."""
        launches, self._waiting = self._waiting[:count], self._waiting[count:]
        all_logs = jax.device_get([logs for *_, logs in launches])
        self._fetched += [_columns(step, size, logs) for (step, size, _), logs in zip(launches, all_logs, strict=True)]


def _columns(step: int, count: int | None, logs: Logs) -> dict[str, np.ndarray]:
    """The numbers of a launch's steps, and what they logged.

    Args:
        step: the number of the first one.
        count: how many there are; None is one whose logs are not stacked.
        logs: what they told, on the host.
    """
    if count is None:
        count, logs = 1, jax.tree.map(lambda leaf: np.asarray(leaf)[None], logs)
    columns: dict[str, np.ndarray] = {_NUMBERS: np.arange(step, step + count)}
    for name, column in columns_of(logs, count).items():
        columns[unique_name(name, columns)] = column.astype(np.float64)
    return columns


def _column(columns: dict[str, np.ndarray], name: str) -> np.ndarray:
    return columns[name] if name in columns else np.full(len(columns[_NUMBERS]), np.nan)
