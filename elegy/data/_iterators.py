"""Streams of batches: iterators that run once, and loaders and factories that begin anew for every pass."""

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ._batch import Batch
from ._columns import Layout, host_columns, name_element, row_count, rows_from
from ._source import Position


def open_factory(factory: Callable[[], Any], role: str) -> Callable[[], Iterator[Any]]:
    """A function that calls `factory` for a new iterator and says so when it gives something else."""
    try:
        inspect.signature(factory).bind()
    except TypeError as error:
        raise ValueError(
            f"`{role}` was asked for an iterator by calling it without arguments. It needs some: {error}. "
            f"Wrap it: `lambda: load(path)`."
        ) from error
    except ValueError:  # some built-in callables show no signature: the call itself then tells
        pass

    def open_iterator() -> Iterator[Any]:
        made = factory()
        if isinstance(made, tuple | dict | str | np.ndarray) or not isinstance(made, Iterable):
            raise ValueError(
                f"`{role}` was asked for an iterator of batches by calling it. It returned {type(made).__name__}. "
                f"Return an iterator, for instance by writing it with `yield`."
            )
        return iter(made)

    return open_iterator


class StreamSource:
    """Hands out what an iterator, a loader or a factory of iterators yields, batch by batch, in its own order.

    Args:
        open_iterator: gives the iterator of a pass; called once a pass, or once at all if not `repeatable`.
        repeatable: whether `open_iterator` can be called again for another pass.
        steps: batches of one pass, where known.
        layout: how the elements are read, and what errors call the data.

    Example:
        >>> import numpy as np
        >>> from elegy.data import as_source
        >>> source = as_source(lambda: iter([(np.zeros((2, 3)), np.ones(2))]))
        >>> source.peek()
        Batch(x=f32[2,3], y_true=f32[2])
    """

    def __init__(
        self,
        open_iterator: Callable[[], Iterator[Any]],
        *,
        repeatable: bool,
        steps: int | None = None,
        layout: Layout | None = None,
    ) -> None:
        self._open = open_iterator
        self._repeatable = repeatable
        self._steps = steps
        self._layout = layout or Layout()
        self._elements: _Elements | None = None
        self._first: Batch | None = None
        self._examine: Callable[[Batch], None] | None = None
        self._position = Position(0, 0)
        self._restored: Position | None = None

    @property
    def samples(self) -> None:
        """None: a stream does not tell how many rows it will give."""

    @property
    def steps(self) -> int | None:
        """Batches of one pass, if the loader has a length."""
        return self._steps

    @property
    def batch_size(self) -> int | None:
        """Rows of the first batch; None until it was looked at."""
        return None if self._first is None else row_count(self._first)

    @property
    def repeatable(self) -> bool:
        """Whether a second pass can be asked for: not from a bare iterator."""
        return self._repeatable

    def batches(self, data_pass: int) -> Iterator[Batch]:
        """The batches of one pass; a bare iterator goes on where it is, whatever pass is asked for."""
        restored, self._restored = self._restored, None
        elements = self._elements or self._begin()
        self._elements = None if self._repeatable else elements
        if data_pass != self._position.data_pass:
            elements.offset = 0
        skip_to = restored.offset if restored is not None and restored.data_pass == data_pass else 0
        self._position = Position(data_pass, max(elements.offset, skip_to))
        return self._hand_out(elements, data_pass, skip_to)

    def position(self) -> Position:
        """Where the data goes on; when a repeatable pass has ended that is the beginning of the next one."""
        return self._position

    def restore(self, position: Position) -> None:
        """Makes the next `batches(position.data_pass)` replay and throw away `position.offset` samples.

        Raises:
            ValueError: a bare iterator is already past that place.
        """
        gone = 0 if self._repeatable or self._elements is None else self._elements.offset
        if gone and (position.data_pass != self._position.data_pass or position.offset < gone):
            raise ValueError(
                f"{position} was asked for. `{self._layout.role}` is an iterator that is already at "
                f"{Position(self._position.data_pass, gone)} and cannot go back. "
                f"Give a function that returns a new iterator instead."
            )
        if position.offset > gone:
            warnings.warn(
                f"`{self._layout.role}` is a stream without positions: {position.offset - gone} samples are loaded "
                f"again and skipped, which is exact only if the stream repeats itself.",
                UserWarning,
                stacklevel=2,
            )
        self._position = self._restored = position

    def peek(self) -> Batch:
        """The first batch, which stays the first one to be handed out.

        Raises:
            ValueError: there is none.
        """
        if self._first is None:
            self._elements = self._elements or self._begin()
            self._first = self._elements.look()
        if self._first is None:
            raise _no_batch(self._layout.role, 0)
        return self._first

    def check(self, fn: Callable[[Batch], None]) -> None:
        """Calls `fn` on every batch from now on, just before it is handed out; a later `fn` takes its place."""
        self._examine = fn

    def _begin(self) -> "_Elements":
        return _Elements(self._open(), self._layout)

    def _hand_out(self, elements: "_Elements", data_pass: int, skip_to: int) -> Iterator[Batch]:
        elements.skip_to(skip_to)
        while (batch := elements.take()) is not None:
            self._first = batch if self._first is None else self._first
            self._position = Position(data_pass, elements.offset)
            examine(self._examine, batch, elements.number - 1)
            yield batch
        if not elements.offset and (self._repeatable or self._first is None):
            raise _no_batch(self._layout.role, data_pass)
        if self._repeatable:
            self._position = Position(data_pass + 1, 0)


class _Elements:
    """The converted batches of one iterator, the first of which can be looked at before it is taken."""

    def __init__(self, iterator: Iterator[Any], layout: Layout) -> None:
        self._iterator = iterator
        self._layout = layout
        self._waiting: list[Batch] = []
        self._number = 0
        self.offset = 0

    @property
    def number(self) -> int:
        """How many batches were taken from the iterator."""
        return self._number - len(self._waiting)

    def look(self) -> Batch | None:
        """The next batch, which stays the next one; None at the end."""
        if not self._waiting and (batch := self._draw()) is not None:
            self._waiting.append(batch)
        return self._waiting[0] if self._waiting else None

    def take(self) -> Batch | None:
        """The next batch; None at the end."""
        batch = self._waiting.pop() if self._waiting else self._draw()
        if batch is not None:
            self.offset += row_count(batch)
        return batch

    def skip_to(self, offset: int) -> None:
        """Takes batches until `offset` samples are gone; what a batch holds beyond them waits as the next one."""
        while self.offset < offset:
            if (batch := self.take()) is None:
                raise ValueError(
                    f"`{self._layout.role}` was asked to go on after {offset} samples of a pass. The pass has only "
                    f"{self.offset}. Give the data that the position was taken from."
                )
            if self.offset > offset:
                rest = rows_from(batch, row_count(batch) - (self.offset - offset))
                self._waiting.append(rest)
                self.offset = offset

    def _draw(self) -> Batch | None:
        try:
            element = next(self._iterator)
        except StopIteration:
            return None
        columns = name_element(element, self._layout)
        batch = host_columns(columns, self._layout, streamed=True, number=self._number)
        self._number += 1
        return batch


def examine(fn: Callable[[Batch], None] | None, batch: Batch, number: int) -> None:
    """Lets `fn` look at a batch; its errors are told which batch it was."""
    if fn is None:
        return
    try:
        fn(batch)
    except ValueError as error:
        error.add_note(f"In batch {number} of the pass (counted from 0).")
        raise


def _no_batch(role: str, data_pass: int) -> ValueError:
    return ValueError(
        f"`{role}` was asked for the batches of pass {data_pass}. It is empty: it ended before the first one. "
        f"Give a stream with at least one batch; a function must return a new iterator at each call."
    )
