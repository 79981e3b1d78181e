"""One batch: named columns that stay together on their way from the data to the step."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
from jax.tree_util import DictKey

from .._errors import short_type


class Batch(Mapping[str, Any]):
    """Names the columns of a batch, so that losses and metrics can ask for each of them by name.

    An ordered, immutable mapping from injected names to pytrees of arrays whose first axis counts rows. A plain
    mapping from a loader is all `x` unless it has both `x` and `y_true`; a `Batch` always names its columns.
    It is a JAX pytree that keeps its order.

    Args:
        **columns: the columns by name, each an array or a pytree of arrays, `(rows, ...)`.

    Example:
        >>> import numpy as np
        >>> from elegy.data import Batch
        >>> batch = Batch(x=np.zeros((4, 2), np.float32), mask=np.ones(4, bool))
        >>> batch
        Batch(x=f32[4,2], mask=bool[4])
        >>> batch["mask"].sum()
        np.int64(4)
    """

    __slots__ = ("_columns",)

    def __init__(self, /, **columns: Any) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> Any:
        """The column called `name`."""
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        """The names in the order in which they were given."""
        return iter(self._columns)

    def __len__(self) -> int:
        """The number of columns (not of rows)."""
        return len(self._columns)

    def __repr__(self) -> str:
        """The columns by name and short type."""
        return f"Batch({', '.join(f'{name}={_words(value)}' for name, value in self._columns.items())})"


def _words(value: Any) -> str:
    return repr(jax.tree.map(short_type, value)).replace("'", "")


def _flatten_with_keys(batch: Batch) -> tuple[list[tuple[Any, Any]], tuple[str, ...]]:
    return [(DictKey(name), value) for name, value in batch.items()], tuple(batch)


def _flatten(batch: Batch) -> tuple[list[Any], tuple[str, ...]]:
    return list(batch._columns.values()), tuple(batch._columns)  # as a mapping it would take five times as long


def _unflatten(names: tuple[str, ...], values: Iterable[Any]) -> Batch:
    return Batch(**dict(zip(names, values, strict=True)))


jax.tree_util.register_pytree_with_keys(Batch, _flatten_with_keys, _unflatten, _flatten)
