"""Where the time of a fit goes, by the host's clock, at the places where the loop waits anyway."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

Place = Literal["input", "dispatch", "compute"]
T = TypeVar("T")

_LEAST_SECONDS = 0.1  # shorter fits tell nothing


class TimeSpent:
    """Adds up how long the loop waits for the data, for the start of launches, and for their results.

    What the host does while the device computes counts too; so the largest share is what a run is bound by.

    Args:
        clock: tells the time in seconds.

    Example:
        >>> spent = TimeSpent(iter([0.0, 3.0, 3.0, 4.0]).__next__)
        >>> with spent.on("input"): pass
        >>> with spent.on("compute"): pass
        >>> spent.share("input"), spent.bound()
        (0.75, 'input')
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds: dict[Place, float] = {"input": 0.0, "dispatch": 0.0, "compute": 0.0}

    def on(self, place: Place) -> "_Block":
        """Count the time of a block; a block that fails does not count."""
        return _Block(self._clock, self._seconds, place)

    def on_dispatch(self, compilations: Callable[[], int]) -> "_Block":
        """Count the time of a launch's start, unless something is compiled in it.

        Args:
            compilations: tells how many there have been.
        """
        return _Block(self._clock, self._seconds, "dispatch", compilations)

    def drawn(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with the time that each takes to be made counted as input."""
        iterator = iter(items)
        while True:
            with self.on("input"):
                item = next(iterator, None)
            if item is None:
                return
            yield item

    def share(self, place: Place) -> float | None:
        """The share of the time that went there; None if too little was measured."""
        total = sum(self._seconds.values())
        return self._seconds[place] / total if total >= _LEAST_SECONDS else None

    def bound(self) -> Place | None:
        """Where most of the time went; None if too little was measured."""
        return None if self.share("input") is None else max(self._seconds, key=self._seconds.__getitem__)


class _Block:
    """A block whose time is added; three of them are in every step, which generators would take longer for."""

    __slots__ = ("_begun", "_clock", "_compilations", "_compiled", "_place", "_seconds")

    def __init__(
        self,
        clock: Callable[[], float],
        seconds: dict[Place, float],
        place: Place,
        compilations: Callable[[], int] | None = None,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._place: Place = place
        self._compilations = compilations

    def __enter__(self) -> None:
        self._compiled = None if self._compilations is None else self._compilations()
        self._begun = self._clock()

    def __exit__(self, error: type[BaseException] | None, *rest: object) -> None:
        if error is None and (self._compilations is None or self._compilations() == self._compiled):
            self._seconds[self._place] += self._clock() - self._begun
