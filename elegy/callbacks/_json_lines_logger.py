"""Write the logs of every epoch as a line of JSON."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._callback import Callback
from ._epoch_file import append_text, read_text, record, replace_text


class JSONLinesLogger(Callback):
    """Writes one line an epoch: a JSON object with `epoch`, counted from 0, and every log.

    Each line is on disk when its epoch ends. NaN and infinity, which JSON does not have, are written as `null`. If
    writing fails, `fit` warns once and goes on.

    Args:
        filename: the file; folders are made.
        append: go on with the file that is there; else the first line replaces it.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "log.jsonl"
        >>> logger = JSONLinesLogger(file)
        >>> logger.on_train_begin()
        >>> logger.on_epoch_end(0, {"loss": 0.5})
        >>> logger.on_epoch_end(1, {"loss": float("nan"), "val_loss": 0.75})
        >>> print(file.read_text())
        {"epoch": 0, "loss": 0.5}
        {"epoch": 1, "loss": null, "val_loss": 0.75}
    """

    is_logger = True

    def __init__(self, filename: str | os.PathLike[str], append: bool = False) -> None:
        self.filename = Path(filename)
        self.append = append
        self._continues = append

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start a new record, unless it is to go on with the one that is there."""
        del logs
        self._continues = self.append

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write the line of an epoch."""
        line = as_json(record(epoch, logs)) + "\n"
        if self._continues and self.filename.exists():
            append_text(self.filename, line)
        else:
            replace_text(self.filename, line)
        self._continues = True

    def state(self) -> dict[str, Any]:
        """How many lines there are."""
        return {"lines": len(self._lines())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on after the lines that were there; those of epochs that are run again are dropped."""
        self._continues = self.append or state["lines"] > 0
        lines = self._lines()
        if len(lines) > state["lines"]:
            replace_text(self.filename, "".join(lines[: state["lines"]]))

    def _lines(self) -> list[str]:
        return read_text(self.filename).splitlines(keepends=True) if self._continues else []


def as_json(logs: Mapping[str, Any]) -> str:
    """Logs as a JSON object; NaN and infinity are `null`.

    Example:
        >>> as_json({"epoch": 0, "loss": float("inf")})
        '{"epoch": 0, "loss": null}'
    """
    return json.dumps({name: value if math.isfinite(value) else None for name, value in logs.items()})
