"""The source protocol: what the loop needs from data, and passes that follow each other without end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ._batch import Batch


def endless(source: "Source", data_pass: int) -> Iterator[tuple["Position", Batch]]:
    """Hands out one batch after the other, pass after pass, for loops that count steps instead of passes.

    A source that cannot be repeated ends after what it has.

    Args:
        source: where the batches come from.
        data_pass: the pass to begin with; a position restored on the source for this pass is respected.

    Yields:
        `(position, batch)`; restoring `position` continues with what follows `batch`.

    Raises:
        ValueError: two passes in a row have no batch.

    Example:
        >>> import numpy as np
        >>> from elegy.data import as_source, endless
        >>> batches = endless(as_source(np.arange(3), batch_size=2), 0)
        >>> [(next(batches)[1]["x"]).tolist() for _ in range(3)]
        [[0, 1], [2], [0, 1]]
    """
    is_empty = False
    while True:
        was_empty, is_empty = is_empty, True
        for batch in source.batches(data_pass):
            is_empty = False
            yield source.position(), batch
        if not source.repeatable:
            return
        if was_empty and is_empty:
            raise ValueError(
                f"Passes {data_pass - 1} and {data_pass} of the data were asked for. Neither has a batch. "
                f"Give data with at least one row."
            )
        data_pass += 1


@dataclass(frozen=True)
class Position:
    """A place in the data that a later run can go back to.

    Args:
        data_pass: number of the pass over the data, from 0.
        offset: samples of that pass that were already handed out, in that pass's order.

    Example:
        >>> import numpy as np
        >>> from elegy.data import as_source
        >>> source = as_source(np.arange(6), batch_size=2)
        >>> _ = next(source.batches(0))
        >>> source.position()
        Position(data_pass=0, offset=2)
    """

    data_pass: int
    offset: int


@runtime_checkable
class Source(Protocol):
    """Anything that hands out batches and knows where it is; give one to `fit` to bring your own loader.

    `samples`, `steps` and `batch_size` describe one pass and are None where nobody can know them; `repeatable` says
    whether a second pass can be asked for.

    Example:
        >>> import numpy as np
        >>> from elegy.data import as_source
        >>> isinstance(as_source(np.arange(6)), Source)
        True
    """

    @property
    def samples(self) -> int | None:
        """Rows of one pass."""
        ...

    @property
    def steps(self) -> int | None:
        """Batches of one pass."""
        ...

    @property
    def batch_size(self) -> int | None:
        """Rows of a full batch."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether a second pass can be asked for."""
        ...

    def batches(self, data_pass: int) -> Iterator[Batch]:
        """The batches of one pass, from the restored offset if one was restored for this pass, else from 0."""
        ...

    def position(self) -> Position:
        """Where the data goes on after the last batch that was handed out."""
        ...

    def restore(self, position: Position) -> None:
        """Makes the next `batches(position.data_pass)` begin at `position.offset`."""
        ...

    def peek(self) -> Batch:
        """The first batch, without taking it away: for shapes."""
        ...

    def check(self, fn: Callable[[Batch], None]) -> None:
        """Lets `fn` look at all data on the host: arrays at once, streams batch by batch as they are handed out."""
        ...
