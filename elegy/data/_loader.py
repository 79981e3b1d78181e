"""`DataLoader`: batches of a dataset's samples, loaded ahead by threads or processes, restorable at any sample."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from .._errors import did_you_mean, listing
from ._arrays import require_count, require_shuffle
from ._batch import Batch
from ._columns import Layout, host_columns, name_element
from ._dataset import collate
from ._iterators import examine
from ._order import Shuffle, row_order, seed_words
from ._source import Position
from ._workers import Workers, WorkerType

_WORKER_TYPES = ("thread", "process")


class Samples(Protocol):
    """Has a length and gives one sample per index; `Dataset`, lists and datasets of other libraries are such."""

    def __len__(self) -> int:
        """How many samples there are."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """One sample."""
        ...


class DataLoader:
    """Makes batches of a dataset's samples, in threads or processes, while the model computes.

    A `Source` that `fit`, `evaluate` and `predict` take as `x`; its order depends on `seed` and the number of the pass
    alone, so that it goes on exactly where a position says, without loading what was before. Iterating over it gives
    the batches of one pass as the dataset's structure has them, for loops of one's own.

    Args:
        dataset: samples by number, such as a `Dataset`.
        batch_size: rows of a batch, `>= 1`.
        n_workers: how many batches are loaded at the same time; 0 loads them where they are asked for.
        shuffle: False; True, a new order in each pass; or `"batch"`, which keeps the rows of a batch together.
        worker_type: "thread", for datasets that wait for files or let other threads run (NumPy does); or "process", for
            those that compute in Python. Processes are spawned and get the dataset once.
        prefetch: how many batches are ready before they are asked for; None is twice the workers.
        timeout: seconds that a batch may take; None waits for ever.
        drop_remainder: leave out a last batch with fewer than `batch_size` rows.
        seed: two integers of 32 bits that the order depends on, or one.
        collate_fn: makes a batch of a list of samples; by default their arrays are stacked.
        layout: how the samples are read, and what errors call the data.

    Raises:
        ValueError: an argument is out of its range, or the dataset is empty.
        TypeError: the dataset has no length or no index.

    Example:
        >>> import elegy, numpy as np
        >>> rows = [{"x": np.ones(3, "float32") * i, "y_true": np.float32(i)} for i in range(5)]
        >>> loader = elegy.data.DataLoader(rows, batch_size=2, n_workers=2)
        >>> next(loader.batches(0))
        Batch(x=f32[2,3], y_true=f32[2])
        >>> loader.position()
        Position(data_pass=0, offset=2)
        >>> loader.close()
    """

    repeatable = True

    def __init__(
        self,
        dataset: Samples,
        batch_size: int,
        n_workers: int = 0,
        shuffle: Shuffle = False,
        worker_type: WorkerType = "thread",
        *,
        prefetch: int | None = None,
        timeout: float | None = None,
        drop_remainder: bool = False,
        seed: int | tuple[int, int] = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        layout: Layout | None = None,
    ) -> None:
        _require(dataset, batch_size, n_workers, worker_type, prefetch, timeout)
        require_shuffle(shuffle)
        self._load = _Loader(dataset, collate_fn)
        self._samples = len(dataset)
        self._batch_size = int(batch_size)
        self._shuffle: Shuffle = shuffle
        self._seed = seed_words((0, seed) if isinstance(seed, int) else seed)
        self._drop_remainder = drop_remainder
        self._end = self._samples - self._samples % self._batch_size if drop_remainder else self._samples
        if not self._end:
            raise ValueError(
                f"`batch_size={batch_size}` was asked for{' with `drop_remainder=True`' * drop_remainder}. The dataset "
                f"has {self._samples} samples, so there is no batch. Give more samples, or a smaller batch size."
            )
        ahead = prefetch or 2 * n_workers
        options = {"count": n_workers, "kind": worker_type, "ahead": ahead, "timeout": timeout}
        self._workers = Workers(self._load, **options) if n_workers else None
        self._layout = layout or Layout(role="dataset")
        self._first: Batch | None = None
        self._examine: Callable[[Batch], None] | None = None
        self._position = Position(0, 0)
        self._restored: Position | None = None

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

    def __len__(self) -> int:
        """Batches of one pass."""
        return self.steps

    def __iter__(self) -> Iterator[Any]:
        """The batches of the pass that `position` says, in the structure of the dataset's samples."""
        return self._hand_out(self._position.data_pass, self._start(self._position.data_pass))

    def batches(self, data_pass: int) -> Iterator[Batch]:
        """The batches of one pass, from the restored offset if one was restored for this pass, else from 0."""
        elements = self._hand_out(data_pass, self._start(data_pass))
        for number, element in enumerate(elements):
            batch = self._named(element, number)
            examine(self._examine, batch, number)
            yield batch

    def position(self) -> Position:
        """Where the data goes on; after the last batch of a pass that is the beginning of the next one."""
        return self._position

    def restore(self, position: Position) -> None:
        """Makes the next `batches(position.data_pass)` begin at `position.offset`, which need not be a batch's start.

        Raises:
            ValueError: the dataset has no such sample.
        """
        if not 0 <= position.offset <= self._samples:
            raise ValueError(
                f"{position} was asked for. The dataset has {self._samples} samples. Give the dataset that the "
                "position was taken from."
            )
        self._position = self._restored = position

    def peek(self) -> Batch:
        """The first samples as they lie, loaded once and kept: for shapes."""
        if self._first is None:
            self._first = self._named(self._load(range(min(self._batch_size, self._samples))), 0)
        return self._first

    def check(self, fn: Callable[[Batch], None]) -> None:
        """Calls `fn` on every batch from now on, just before it is handed out; a later `fn` takes its place."""
        self._examine = fn

    def close(self) -> None:
        """End the workers, which else stay for the next pass and end with this object."""
        if self._workers is not None:
            self._workers.close()

    def _start(self, data_pass: int) -> int:
        restored, self._restored = self._restored, None
        return restored.offset if restored is not None and restored.data_pass == data_pass else 0

    def _hand_out(self, data_pass: int, start: int) -> Iterator[Any]:
        order = row_order(
            self._samples, batch_size=self._batch_size, shuffle=self._shuffle, seed=self._seed, data_pass=data_pass
        )
        numbers = np.arange(self._samples) if order is None else order
        last = self._end - self._batch_size * self._drop_remainder  # a restored offset may lie inside a batch
        starts = range(start, last + self._drop_remainder, self._batch_size)
        batches = [numbers[begin : min(begin + self._batch_size, self._end)].tolist() for begin in starts]
        loaded = map(self._load, batches) if self._workers is None else self._workers.ordered(batches)
        for chosen, element in zip(batches, loaded, strict=True):
            start += len(chosen)
            self._position = Position(data_pass, start) if start < self._end else Position(data_pass + 1, 0)
            yield element

    def _named(self, element: Any, number: int) -> Batch:
        return host_columns(name_element(element, self._layout), self._layout, streamed=True, number=number)


class _Loader:
    """Loads the samples of a batch; a class of its own, since it goes to worker processes."""

    def __init__(self, dataset: Samples, collate_fn: Callable[[list[Any]], Any] | None) -> None:
        self._dataset = dataset
        self._collate = collate_fn

    def __call__(self, numbers: Sequence[int]) -> Any:
        samples = [self._sample(number) for number in numbers]
        return collate(samples, numbers) if self._collate is None else self._collate(samples)

    def _sample(self, number: int) -> Any:
        try:
            return self._dataset[number]
        except Exception as error:
            error.add_note(f"In sample {number} of the dataset (counted from 0).")
            raise


def _require(
    dataset: Any, batch_size: Any, n_workers: Any, worker_type: Any, prefetch: Any, timeout: float | None
) -> None:
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")) or isinstance(dataset, type | dict | str):
        raise TypeError(
            f"`DataLoader` was given {dataset!r:.60}. A dataset has a length and gives a sample for each number. Write "
            "a class with `__len__` and `__getitem__`, like a subclass of `elegy.data.Dataset`, and give an instance."
        )
    if batch_size is None:
        raise ValueError("`DataLoader(batch_size=None)` was given. A batch has a number of rows. Give one, such as 32.")
    require_count("batch_size", batch_size)
    require_count("prefetch", prefetch)
    require_count("n_workers", n_workers or None)
    if worker_type not in _WORKER_TYPES:
        spawned = worker_type in ("spawn", "fork", "forkserver")
        why = '"process" spawns them, since a fork of a process that runs JAX may hang' * spawned or "Use one of these"
        raise ValueError(
            f"`worker_type={worker_type!r}` was given. The kinds are: {listing(_WORKER_TYPES)}. {why}."
            + did_you_mean(str(worker_type), _WORKER_TYPES)
        )
    if timeout is not None and not timeout > 0:
        raise ValueError(f"`timeout={timeout!r}` was given. It counts seconds. Give a number above 0, or None.")
    if prefetch is not None and not n_workers:
        raise ValueError(
            f"`prefetch={prefetch}` was given. Without workers nothing is loaded ahead. Give `n_workers=` too."
        )
    if timeout is not None and not n_workers:
        raise ValueError(
            f"`timeout={timeout}` was given. Without workers nobody can stop waiting. Give `n_workers=` too."
        )
