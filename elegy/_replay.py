"""What the steps of one launch told, handed out step by step, for callbacks that are told afterwards."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from ._logs import LazyLogs, Logs, Ratio, Running, Seldom, host_quotient
from ._told import Told


def replayed(told: Told, count: int) -> Iterator[tuple[LazyLogs, dict[str, Any]]]:
    """For each step of a launch its logs, and what callbacks asked for.

    Args:
        told: of the launch, stacked `(capacity, ...)`.
        count: how many steps it ran.
    """
    columns = columns_of(jax.device_get(told.logs), count)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True) if columns else [()] * count
    for step, row in enumerate(rows):
        logs = LazyLogs.known(dict(zip(columns, row, strict=True)))
        yield logs, jax.tree.map(lambda leaf, step=step: leaf[step], told.asked) if told.asked else {}


def columns_of(logs: Logs, count: int) -> dict[str, np.ndarray]:
    """By log name the numbers of the steps; a log that is no scalar shows as `name/0`, `name/1`, ...

    Args:
        logs: of the launch on the host, stacked `(capacity, ...)`.
        count: how many steps it ran.
    """
    columns: dict[str, np.ndarray] = {}
    for name, log in logs.items():
        if isinstance(log, Ratio):
            columns[name] = sum((host_quotient(*term)[:count] for term in log.terms), start=np.zeros(count))
            continue
        values = np.asarray(log.value if isinstance(log, (Running, Seldom)) else log)[:count]
        for index in np.ndindex(values.shape[1:]):
            columns["/".join([name, *map(str, index)])] = values[(slice(None), *index)]
    return columns
