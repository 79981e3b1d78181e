"""The last rows of the data, kept apart for validation before anything is shuffled."""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import jax

from ._batch import Batch
from ._columns import Layout, host_columns, name_arrays, row_count
from ._convert import is_arrays

Parts = tuple[Any, Any, Any]


def validation_split(x: Any, y: Any = None, sample_weight: Any = None, *, fraction: float) -> tuple[Parts, Parts]:
    """Cuts arrays in two: the first `floor(rows * (1 - fraction))` rows for training, the rest for validation.

    Args:
        x: array or nest of arrays `(rows, ...)`, or a named batch of them.
        y: labels `(rows, ...)`, cut alike; the key of a column of a mapping `x` stays one.
        sample_weight: weights `(rows, ...)`, cut alike; the key of a column of a mapping `x` stays one.
        fraction: share of the rows kept for validation, between 0 and 1, both excluded.

    Returns:
        `(x, y, sample_weight)` for training and the same for validation, as host arrays.

    Raises:
        ValueError: the data is a stream, the fraction is out of its range, or a part would be empty.

    Example:
        >>> import numpy as np
        >>> from elegy.data import validation_split
        >>> (x, y, _), (x_val, y_val, _) = validation_split(np.arange(5), np.arange(5) % 2, fraction=0.4)
        >>> x.tolist(), x_val.tolist()
        ([0, 1, 2], [3, 4])
    """
    if isinstance(fraction, bool) or not isinstance(fraction, Real) or not 0 < fraction < 1:
        raise ValueError(
            f"`validation_split={fraction!r}` was asked for. It is the share of the rows to keep for validation. "
            f"Give a number between 0 and 1, such as 0.2."
        )
    if not is_arrays(x):
        raise ValueError(
            f"`validation_split={fraction}` was asked for. `x` is a {type(x).__name__}, a stream whose rows cannot be "
            f"split. Give arrays, or a second stream as `validation_data`."
        )
    keys = [value if isinstance(value, str) else None for value in (y, sample_weight)]
    labels, weights = (None if isinstance(value, str) else value for value in (y, sample_weight))
    layout = Layout(labels="y_true" if labels is None else "y")
    if isinstance(x, Batch) or (isinstance(x, Mapping) and "x" in x and "y_true" in x):
        columns, named = name_arrays(x, labels, weights, layout), True
    else:
        columns, named = name_arrays(Batch(x=x), labels, weights, layout), False
    batch = host_columns(columns, layout)
    rows = row_count(batch)
    count = math.floor(rows * (1 - float(fraction)))
    if not 0 < count < rows:
        raise ValueError(
            f"`validation_split={fraction}` was asked for. `x` has {rows} rows, of which {count} would train. "
            f"Give a fraction that leaves rows on both sides, or more data."
        )
    train = jax.tree.map(lambda leaf: leaf[:count], batch)
    validation = jax.tree.map(lambda leaf: leaf[count:], batch)
    return _parts(train, keys, named=named), _parts(validation, keys, named=named)


def _parts(batch: Batch, keys: list[str | None], *, named: bool) -> Parts:
    if named:
        return batch, keys[0], keys[1]
    return batch["x"], batch.get("y_true", keys[0]), batch.get("sample_weight", keys[1])
