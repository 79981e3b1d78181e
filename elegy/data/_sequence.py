"""Batches out of anything with a length and an index, whose order can be shuffled and gone back to."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

from ._arrays import require_shuffle
from ._batch import Batch
from ._columns import Layout, host_columns, name_element, row_count, rows_from
from ._iterators import examine
from ._order import Shuffle, permutation, seed_words
from ._source import Position


@runtime_checkable
class Indexed(Protocol):
    """Has a length and gives one batch per index."""

    def __len__(self) -> int:
        """How many batches there are."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """One batch: x, (x, y), (x, y, sample_weight), a mapping or a `Batch`."""
        ...


class SequenceSource:
    """Hands out the batches of an indexed collection, each loaded when its turn comes.

    Positions count samples, while the collection counts batches: going back to the middle of a pass loads the
    batches before it whose sizes are not known yet, to count their rows.

    Args:
        data: gives the number of batches by `len` and a batch by index.
        shuffle: whether each pass has its own order of batches (True and `"batch"` are one here).
        seed: two integers of 32 bits.
        layout: how the elements are read, and what errors call the data.

    Raises:
        ValueError: the collection is empty.

    Example:
        >>> import numpy as np
        >>> from elegy.data import as_source
        >>> class Squares:
        ...     def __len__(self): return 2
        ...     def __getitem__(self, index): return np.arange(3) * index, np.arange(3) ** index
        >>> source = as_source(Squares())
        >>> source.steps, [batch["y_true"].tolist() for batch in source.batches(0)]
        (2, [[1, 1, 1], [0, 1, 2]])
    """

    repeatable = True

    def __init__(
        self,
        data: Indexed,
        *,
        shuffle: Shuffle = False,
        seed: tuple[int, int] = (0, 0),
        layout: Layout | None = None,
    ) -> None:
        require_shuffle(shuffle)
        self._data = data
        self._shuffle = shuffle
        self._seed = seed_words(seed)
        self._layout = layout or Layout()
        if not len(data):
            raise ValueError(
                f"`{self._layout.role}` was asked for its batches. It is empty: its length is 0. "
                f"Give at least one batch."
            )
        self._rows: dict[int, int] = {}
        self._first: Batch | None = None
        self._examine: Callable[[Batch], None] | None = None
        self._position = Position(0, 0)
        self._restored: Position | None = None

    @property
    def samples(self) -> int | None:
        """Rows of one pass; None until each batch was seen once."""
        return sum(self._rows.values()) if len(self._rows) == len(self._data) else None

    @property
    def steps(self) -> int:
        """Batches of one pass."""
        return len(self._data)

    @property
    def batch_size(self) -> int | None:
        """Rows of the batch at index 0; None until it was seen."""
        return self._rows.get(0)

    def batches(self, data_pass: int) -> Iterator[Batch]:
        """The batches of one pass, from the restored offset if one was restored for this pass, else from 0."""
        restored, self._restored = self._restored, None
        offset = restored.offset if restored is not None and restored.data_pass == data_pass else 0
        return self._hand_out(data_pass, offset)

    def position(self) -> Position:
        """Where the data goes on; after the last batch of a pass that is the beginning of the next one."""
        return self._position

    def restore(self, position: Position) -> None:
        """Makes the next `batches(position.data_pass)` begin at `position.offset`, which may lie inside a batch."""
        self._position = self._restored = position

    def peek(self) -> Batch:
        """The batch at index 0, loaded once and kept: for shapes."""
        if self._first is None:
            self._first = self._load(0)
        return self._first

    def check(self, fn: Callable[[Batch], None]) -> None:
        """Calls `fn` on every batch from now on, just before it is handed out; a later `fn` takes its place."""
        self._examine = fn

    def _hand_out(self, data_pass: int, offset: int) -> Iterator[Batch]:
        steps = len(self._data)
        order = permutation(steps, seed=self._seed, data_pass=data_pass) if self._shuffle else range(steps)
        done = 0
        for number, index in enumerate(map(int, order)):
            if done < offset and done + self._count(index) <= offset:
                done += self._rows[index]
                continue
            batch = rows_from(self._load(index), max(offset - done, 0))
            done = max(done, offset) + row_count(batch)
            self._position = Position(data_pass, done) if number + 1 < steps else Position(data_pass + 1, 0)
            examine(self._examine, batch, number)
            yield batch
        if done < offset:
            raise ValueError(
                f"{Position(data_pass, offset)} was asked for. `{self._layout.role}` has only {done} samples in a "
                f"pass. Give the data that the position was taken from."
            )

    def _count(self, index: int) -> int:
        if index not in self._rows:
            self._load(index)
        return self._rows[index]

    def _load(self, index: int) -> Batch:
        try:
            element = self._data[index]
        except IndexError as error:
            raise ValueError(
                f"`{self._layout.role}` was asked for batch {index}. Its length is {len(self._data)}, but it raised "
                f"IndexError: {error}. Let `__len__` count the batches (not the rows) that `__getitem__` can give."
            ) from error
        batch = host_columns(name_element(element, self._layout), self._layout, streamed=True, number=index)
        self._rows[index] = row_count(batch)
        return batch
