"""Batches out of columns that lie in memory: shuffled by seed and pass, restorable at any row."""

import math
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral
from typing import Any

import jax
import numpy as np

from ._batch import Batch
from ._columns import Layout, host_columns, row_count
from ._order import Shuffle, row_order, seed_words
from ._source import Position

_DEFAULT_BATCH_SIZE = 32


class ArraySource:
    """Hands out the rows of columns in memory, in an order that only seed and pass decide.

    All work on the columns (conversion to host arrays, narrowing to 32 bits, checks) happens once, here; a batch
    then costs one `np.take` per array, or a view where nothing is shuffled.

    Args:
        columns: the columns by name, each a nest of arrays `(rows, ...)`.
        batch_size: rows of a batch, `>= 1`; None is `ceil(rows / steps)` where `steps` is given, else 32.
        steps: into how many batches a pass is cut where no `batch_size` is given, `>= 1`.
        shuffle: False, True (single rows), or `"batch"` (runs of `batch_size` rows that lie together).
        seed: two integers of 32 bits.
        drop_remainder: leave out a last batch with fewer than `batch_size` rows.
        layout: what errors call the data.

    Raises:
        ValueError: the columns are not numbers, empty or of different lengths, or an option is out of its range.

    Example:
        >>> import numpy as np
        >>> from elegy.data import ArraySource
        >>> source = ArraySource({"x": np.arange(5)}, batch_size=2)
        >>> [batch["x"].tolist() for batch in source.batches(0)]
        [[0, 1], [2, 3], [4]]
    """

    repeatable = True

    def __init__(
        self,
        columns: Mapping[str, Any],
        *,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: Shuffle = False,
        seed: tuple[int, int] = (0, 0),
        drop_remainder: bool = False,
        layout: Layout | None = None,
    ) -> None:
        self._role = (layout or Layout()).role
        require_count("batch_size", batch_size)
        require_count("steps", steps)
        require_shuffle(shuffle)
        self._seed = seed_words(seed)
        self._columns = host_columns(columns, layout or Layout())
        self._samples = row_count(self._columns)
        cut = math.ceil(self._samples / int(steps)) if steps is not None else _DEFAULT_BATCH_SIZE
        self._batch_size = int(batch_size) if batch_size is not None else cut
        self._shuffle: Shuffle = shuffle
        self._drop_remainder = drop_remainder
        self._end = self._samples - self._samples % self._batch_size if drop_remainder else self._samples
        if not self._end:
            raise ValueError(
                f"`drop_remainder=True` with `batch_size={self._batch_size}` was asked for. `{self._role}` has only "
                f"{self._samples} rows, so no batch would be left. Give a smaller batch size."
            )
        self._position = Position(0, 0)
        self._restored: Position | None = None

    @property
    def columns(self) -> Batch:
        """The whole columns on the host, in the order in which they lie."""
        return self._columns

    @property
    def samples(self) -> int:
        """Rows that one pass hands out."""
        return self._end

    @property
    def steps(self) -> int:
        """Batches of one pass, a smaller last one counted."""
        return math.ceil(self._end / self._batch_size)

    @property
    def batch_size(self) -> int:
        """Rows of a full batch."""
        return self._batch_size

    @property
    def is_shuffled(self) -> bool:
        """Whether passes hand out the rows in another order than they lie in."""
        return bool(self._shuffle)

    def order(self, data_pass: int) -> np.ndarray | None:
        """The rows of a pass in the order in which it hands them out, or None for the order in which they lie."""
        return row_order(
            self._samples, batch_size=self._batch_size, shuffle=self._shuffle, seed=self._seed, data_pass=data_pass
        )

    def batches(self, data_pass: int) -> Iterator[Batch]:
        """The batches of one pass, from the restored offset if one was restored for this pass, else from 0."""
        return self._hand_out(data_pass, self.start(data_pass))

    def start(self, data_pass: int) -> int:
        """The row at which a pass begins: the restored offset if one was restored for it, which then counts no more."""
        restored, self._restored = self._restored, None
        return restored.offset if restored is not None and restored.data_pass == data_pass else 0

    def position(self) -> Position:
        """Where the data goes on; after the last batch of a pass that is the beginning of the next one."""
        return self._position

    def restore(self, position: Position) -> None:
        """Makes the next `batches(position.data_pass)` begin at `position.offset`, which need not be a batch's start.

        Raises:
            ValueError: the data has no such row.
        """
        if not 0 <= position.offset <= self._samples:
            raise ValueError(
                f"{position} was asked for. `{self._role}` has {self._samples} rows. "
                f"Give the data that the position was taken from."
            )
        self._position = self._restored = position

    def peek(self) -> Batch:
        """The first rows as they lie, as many as a batch has: for shapes."""
        return jax.tree.map(lambda leaf: leaf[: self._batch_size], self._columns)

    def check(self, fn: Callable[[Batch], None]) -> None:
        """Calls `fn` once with the whole columns."""
        fn(self._columns)

    def _hand_out(self, data_pass: int, start: int) -> Iterator[Batch]:
        order = self.order(data_pass)
        leaves, structure = jax.tree.flatten(self._columns)
        end, size = self._end, self._batch_size
        last_start = end - size if self._drop_remainder else end - 1
        while start <= last_start:
            stop = min(start + size, end)
            if order is None:
                parts = [leaf[start:stop] for leaf in leaves]
            else:
                rows = order[start:stop]
                parts = [leaf.take(rows, axis=0) for leaf in leaves]
            start = stop
            self._position = Position(data_pass, start) if start <= last_start else Position(data_pass + 1, 0)
            yield structure.unflatten(parts)


def require_count(name: str, value: Any) -> None:
    """Raises unless `value` is None or an integer of at least 1."""
    if value is None or (isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1):
        return
    raise ValueError(
        f"`{name}={value!r}` was asked for. It counts whole things and starts at 1. Give an integer `>= 1`, or None."
    )


def require_shuffle(shuffle: Any) -> None:
    """Raises unless `shuffle` is True, False or "batch"."""
    if not (isinstance(shuffle, bool) or (isinstance(shuffle, str) and shuffle == "batch")):
        raise ValueError(
            f"`shuffle={shuffle!r}` was asked for. The choices are True, False and 'batch'. Give one of these."
        )
