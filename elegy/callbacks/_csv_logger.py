"""Write the logs of every epoch into a table on disk."""

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._errors import listing
from ._callback import Callback
from ._epoch_file import append_text, read_text, record, replace_text

_MISSING = "NA"


class CSVLogger(Callback):
    """Writes one row an epoch: `epoch`, counted from 0, and every log.

    Each row is on disk when its epoch ends. A log that appears later, like those of the validation when not every
    epoch is validated, becomes a new column; what an epoch did not log is `NA`, which pandas reads as missing. If
    writing fails, `fit` warns once and goes on.

    Args:
        filename: the file; folders are made.
        separator: one character between the columns.
        append: go on with the file that is there, whose columns are kept; else the first row replaces it.

    Raises:
        TypeError: the separator is no text of one character.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
        >>> logger = CSVLogger(file)
        >>> logger.on_train_begin()
        >>> logger.on_epoch_end(0, {"loss": 0.5})
        >>> logger.on_epoch_end(1, {"loss": 0.25, "val_loss": 0.75})
        >>> print(file.read_text())
        epoch,loss,val_loss
        0,0.5,NA
        1,0.25,0.75
    """

    is_logger = True

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise TypeError(
                f"CSVLogger got `separator={separator!r}`. It stands between the columns. Give one character."
            )
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._continues = append

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start a new table, unless it is to go on with the one that is there."""
        del logs
        self._continues = self.append

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write the row of an epoch."""
        row = {name: str(value) for name, value in record(epoch, logs).items()}
        columns = self._columns()
        new = [name for name in row if name not in columns]
        if new:
            self._replace([*columns, *new], [*self._rows(), row])
        else:
            append_text(self.filename, self._text(columns, [row]))
        self._continues = True

    def state(self) -> dict[str, Any]:
        """How many rows there are."""
        return {"rows": len(self._rows())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on after the rows that were there; those of epochs that are run again are dropped."""
        self._continues = self.append or state["rows"] > 0
        rows = self._rows()
        if len(rows) > state["rows"]:
            self._replace(self._columns(), rows[: state["rows"]])

    def _columns(self) -> list[str]:
        """The columns that are there and stay."""
        if not self._continues or not self.filename.exists():
            return []
        with open(self.filename, encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file, delimiter=self.separator), [])
        if columns and "epoch" not in columns:
            raise ValueError(
                f"CSVLogger is to go on with `{self.filename}`. It has no column `epoch`, but: {listing(columns)}. "
                "Give another file, or the separator that it was written with."
            )
        return columns

    def _rows(self) -> list[dict[str, str]]:
        """The rows that are there and stay."""
        if not (columns := self._columns()):
            return []
        _, *rows = csv.reader(io.StringIO(read_text(self.filename)), delimiter=self.separator)
        return [dict(zip(columns, row, strict=False)) for row in rows if row]

    def _replace(self, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
        header = dict(zip(columns, columns, strict=True))
        replace_text(self.filename, self._text(columns, [header, *rows]))

    def _text(self, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval=_MISSING, delimiter=self.separator, lineterminator="\n")
        writer.writerows(rows)
        return text.getvalue()
