"""A dict that cannot grow without limit: what is kept only to save time later."""

from collections.abc import Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Bounded(dict[Key, Value]):
    """A dict of at most so many entries: the one that was neither set nor read with `[]` for longest is dropped.

    Args:
        most: how many entries there may be.

    Example:
        >>> cache = Bounded(2)
        >>> cache["a"], cache["b"] = 1, 2
        >>> cache["a"]
        1
        >>> cache["c"] = 3
        >>> list(cache)
        ['a', 'c']
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __getitem__(self, key: Key) -> Value:
        """The value, which now is the newest."""
        value = super().pop(key)
        super().__setitem__(key, value)
        return value

    def __setitem__(self, key: Key, value: Value) -> None:
        """Set the newest value; the oldest one goes if there are too many."""
        self.pop(key, None)
        super().__setitem__(key, value)
        if len(self) > self.most:
            del self[next(iter(self))]
