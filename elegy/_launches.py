"""The launches of an epoch: which batches run together, and from where the device takes them."""

import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from ._chunk_memory import ChunkMemory, on_device
from ._feed import Feed, Held, Stacked
from ._probe import abstract
from .data import ArraySource, Batch, Source, endless

Length = Callable[[], int]
"""How many steps the next launch may run."""


class Launch(NamedTuple):
    """Steps that run together.

    Attributes:
        feed: where the batches are; a `Batch` is one step by itself.
        first: the first step in the feed.
        count: how many steps.
    """

    feed: Feed | Batch
    first: int
    count: int


class Singles:
    """Launches of one step each: the batches of the epochs, one pass each, or a fixed number that rolls over passes.

    Args:
        source: the batches.
        extra: columns that every batch gets.
        steps: batches of an epoch; None is one pass.
        first_pass: the pass to begin with.

    Attributes:
        next_pass: the pass that a following fit begins with.
        exhausted: whether the data ended before an epoch did.
    """

    def __init__(self, source: Source, extra: Mapping[str, Any], steps: int | None, first_pass: int) -> None:
        self.next_pass = first_pass
        self.exhausted = False
        self._source = source
        self._extra = dict(extra)
        self._steps = steps
        self._rolling = endless(source, first_pass) if steps is not None else None

    def epoch(self, length: Length) -> Iterator[Launch]:
        """The launches of one epoch."""
        del length
        for batch in self.batches():
            yield Launch(self._whole(batch), 0, 1)

    def forms(self, epochs: int) -> list[Launch]:
        """A launch of each form that is known to come in so many epochs; arrays may be shapes and dtypes alone."""
        return [Launch(self._whole(batch), 0, 1) for batch in _known_batches(self._source, self._steps, epochs)]

    def batches(self) -> Iterator[Batch]:
        """The batches of one epoch, as the source hands them out."""
        number = 0
        for batch in self._raw():
            number += 1
            yield batch
        if self._steps is not None and number < self._steps:
            self.exhausted = True
            warnings.warn(
                f"An epoch of {self._steps} batches was asked for. The data ended after {number}. The partial epoch is "
                "kept and the run ends here; give a function that makes a new iterator to go on.",
                stacklevel=2,
            )

    def _whole(self, batch: Batch) -> Batch:
        return Batch(**batch, **self._extra) if self._extra else batch

    def _raw(self) -> Iterator[Batch]:
        if self._rolling is None:
            self.next_pass += 1
            yield from self._source.batches(self.next_pass - 1)
            return
        for position, batch in itertools.islice(self._rolling, self._steps):
            self.next_pass = position.data_pass + (position.offset > 0)
            yield batch


class Chunks(Singles):
    """Launches of batches that are stacked on the host: the next ones are prepared while the device computes.

    Batches of another shape than the first one's, like a smaller last one, are launches of one step.

    Args:
        source, extra, steps, first_pass: as for `Singles`.
        capacity: the steps of a chunk; a launch may run fewer.
    """

    def __init__(
        self, source: Source, extra: Mapping[str, Any], steps: int | None, first_pass: int, *, capacity: int
    ) -> None:
        super().__init__(source, extra, steps, first_pass)
        self._capacity = capacity
        self._memory = ChunkMemory()
        self._form: Any = None

    def epoch(self, length: Length) -> Iterator[Launch]:
        """The launches of one epoch."""
        waiting: list[Batch] = []
        for batch in self.batches():
            form = _form(batch)
            self._form = self._form or form
            if form == self._form:
                waiting.append(batch)
            if waiting and (form != self._form or len(waiting) >= min(length(), self._capacity)):
                yield Launch(self._stacked(waiting), 0, len(waiting))
                waiting = []
            if form != self._form:
                yield Launch(self._whole(batch), 0, 1)
        if waiting:
            yield Launch(self._stacked(waiting), 0, len(waiting))

    def forms(self, epochs: int) -> list[Launch]:
        """See `Singles.forms`."""
        first, *others = super().forms(epochs)
        stacked = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct((self._capacity, *leaf.shape), leaf.dtype), self._source.peek()
        )
        return [Launch(Stacked(stacked, self._extra), *first[1:]), *others]

    def _stacked(self, batches: list[Batch]) -> Stacked:
        def stack(*leaves: Any) -> Any:
            stacked = self._memory.empty((self._capacity, *np.shape(leaves[0])), leaves[0].dtype)
            for number, leaf in enumerate(leaves):
                stacked[number] = leaf
            return stacked

        return jax.device_put(Stacked(jax.tree.map(stack, *batches), self._extra))


class Slices(Singles):
    """Launches of chunks that are cut out of arrays, for one pass.

    Args:
        source: arrays.
        extra, first_pass: as for `Singles`.
        steps: how many batches; None, or more than the pass has, takes all.
        capacity: the steps of a chunk; a launch may run fewer.
    """

    def __init__(
        self, source: ArraySource, extra: Mapping[str, Any], steps: int | None, first_pass: int, *, capacity: int
    ) -> None:
        super().__init__(source, extra, steps, first_pass)
        self._pass = _Pass(first_pass, source)
        self._capacity = capacity
        self._memory = ChunkMemory()

    def epoch(self, length: Length) -> Iterator[Launch]:
        """The launches of one epoch."""
        current = self._pass
        steps = min(self._steps or current.steps, current.steps)
        while current.step < min(steps, current.full):
            # The last chunk begins a little earlier, since all are of one size; what was done before is passed over.
            size = min(self._capacity, current.full)
            first = min(current.step, current.full - size)
            end = min(first + size, steps)
            chunk = jax.tree.map(self._memory.copied, current.stacked(first, size))
            feed = jax.device_put(Stacked(chunk, self._extra))
            del chunk
            while current.step < end:
                count = min(length(), end - current.step)
                current.step += count
                yield Launch(feed, current.step - count - first, count)
        if current.step < steps:
            current.step += 1
            yield Launch(self._whole(current.last()), 0, 1)


class Resident:
    """Launches over data that lies on the device as a whole; only the order of a pass is sent.

    Args:
        source: arrays.
        extra: columns that every batch gets.
        steps: batches of an epoch; None is one pass.
        first_pass: the pass to begin with.
        block: how many steps' rows are gathered at once.
        epochs: how many there are; the order of the next one is made while the device is busy with the one before.

    Attributes:
        next_pass: the pass that a following fit begins with.
        exhausted: never: arrays begin anew.
    """

    exhausted = False

    def __init__(
        self,
        source: ArraySource,
        extra: Mapping[str, Any],
        steps: int | None,
        first_pass: int,
        *,
        block: int,
        epochs: int = 1,
    ) -> None:
        self.next_pass = first_pass
        self._source = source
        self._extra = dict(extra)
        self._steps = steps
        self._block = block
        self._epochs = epochs
        self._columns: Batch | None = None
        self._pass: _Pass | None = None
        self._prepared: tuple[_Pass, Held] | None = None

    def epoch(self, length: Length) -> Iterator[Launch]:
        """The launches of one epoch."""
        left = self._steps
        while left is None or left > 0:
            if self._pass is None:
                self._pass, self._feed = self._prepared or self._prepare()
                self._prepared = None
                self.next_pass += 1
            current = self._pass
            while current.step < current.steps and (left is None or left > 0):
                count = 1 if current.is_partial() else min(length(), current.full - current.step)
                count = count if left is None else min(count, left)
                first = current.step
                current.step += count
                left = None if left is None else left - count
                yield Launch(self._last(current) if first >= current.full else self._feed, first, count)
            if current.step < current.steps:
                return
            self._pass = None
            if left is None:
                self._epochs -= 1
                self._prepared = self._prepare() if self._epochs > 0 else None
                return

    def _prepare(self) -> tuple["_Pass", Held]:
        """The next pass, with its order on the device."""
        current = _Pass(self.next_pass, self._source)
        columns = self._columns = self._columns or on_device(self._source.columns)
        return current, self._held(columns, jax.device_put(self._padded(current.rows)))

    def forms(self, epochs: int) -> list[Launch]:
        """See `Singles.forms`."""
        full, *others = [
            Launch(Batch(**batch, **self._extra), 0, 1) for batch in _known_batches(self._source, self._steps, epochs)
        ]
        if self._source.samples < self._source.batch_size:
            return [full]
        rows = self._source.samples + self._block * self._source.batch_size
        order = jax.ShapeDtypeStruct((rows,), np.int32) if self._source.is_shuffled else None
        return [Launch(self._held(abstract(self._source.columns), order), *full[1:]), *others]

    def _last(self, current: "_Pass") -> Batch:
        return Batch(**current.last(), **self._extra)

    def _held(self, columns: Batch, order: Any) -> Held:
        return Held(columns, order, self._extra, self._source.batch_size, self._block)

    def _padded(self, rows: np.ndarray | None) -> np.ndarray | None:
        """A block may reach over the end; those rows are taken, and not used."""
        if rows is None:
            return None
        padded = np.zeros(len(rows) + self._block * self._source.batch_size, np.int32)
        padded[: len(rows)] = rows
        return padded


class _Pass:
    """One pass over arrays: its order, and how far it is.

    Attributes:
        rows: the rows in order; None as they lie.
        full: how many full batches there are.
        steps: how many batches there are.
        step: the next one.
    """

    def __init__(self, number: int, source: ArraySource) -> None:
        self._source = source
        self.rows = source.order(number)
        start = source.start(number)
        if start:
            rows = np.arange(source.samples) if self.rows is None else self.rows
            self.rows = rows[start : source.samples]
        left, size = source.samples - start, source.batch_size
        self.full = left // size
        self.steps = -(-left // size) if source.samples % size else self.full
        self.step = 0

    def is_partial(self) -> bool:
        """Whether the next batch is the smaller last one."""
        return self.step >= self.full

    def stacked(self, first: int, count: int) -> Batch:
        """Full batches from step `first` on, `(count, rows, ...)`; views, where the rows are as they lie."""
        size = self._source.batch_size
        rows = self._taken(first * size, (first + count) * size)
        return jax.tree.map(lambda column: column.reshape(count, size, *column.shape[1:]), rows)

    def last(self) -> Batch:
        """The smaller last batch."""
        return self._taken(self.full * self._source.batch_size, self._source.samples)

    def _taken(self, begin: int, end: int) -> Batch:
        chosen = slice(begin, end) if self.rows is None else self.rows[begin:end]
        return jax.tree.map(lambda column: column[chosen], self._source.columns)


def _known_batches(source: Source, steps: int | None, epochs: int) -> list[Batch]:
    """A batch as the source hands it out first, and one like the smaller last one if so many epochs get there."""
    first = source.peek()
    if not isinstance(source, ArraySource) or source.samples < source.batch_size:
        return [first]
    left = source.samples % source.batch_size
    is_reached = steps is None or steps * epochs >= source.steps
    return [first, jax.tree.map(lambda leaf: leaf[:left], first)] if left and is_reached else [first]


def _form(batch: Batch) -> Any:
    leaves, structure = jax.tree.flatten(batch)
    return structure, tuple((np.shape(leaf), np.dtype(leaf.dtype).str) for leaf in leaves)
