"""Whatever users hold becomes a source: arrays, streams, loaders, sequences, or an error that says what to write."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ._arrays import ArraySource, require_count, require_shuffle
from ._columns import Layout, name_arrays
from ._convert import is_arrays, not_data
from ._dataset import Dataset
from ._iterators import StreamSource, open_factory
from ._loader import DataLoader
from ._order import Shuffle
from ._sequence import Indexed, SequenceSource
from ._source import Source


def as_source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: Shuffle = False,
    seed: tuple[int, int] = (0, 0),
    steps: int | None = None,
    drop_remainder: bool = False,
    y_column: str | None = None,
    weight_column: str | None = None,
    role: str = "x",
) -> Source:
    """Turns what `fit` and its sisters accept into a source of batches.

    Arrays and nests of them, lists of numbers and numeric pandas objects become an `ArraySource`; a `Dataset` gives
    samples, of which a `DataLoader` makes batches; what else has `__len__` and `__getitem__` gives batches by index;
    iterators run once; other iterables and functions without arguments
    that return an iterator begin anew for every pass. A source is returned as it is.

    Args:
        x: the inputs, `(rows, ...)` each, or everything: a mapping with both `x` and `y_true`, a `Batch`, or a stream
            of batches.
        y: the labels, `(rows, ...)` each; or the key of a mapping that holds them. Only the key with a stream.
        sample_weight: the weights, `(rows, ...)` each; or the key of a mapping that holds them.
        batch_size: rows of a batch of arrays, `>= 1`; None is `ceil(rows / steps)` where `steps` is given, else 32.
        shuffle: False, True, or `"batch"`. True shuffles the rows of arrays and the batches of a sequence; a stream
            always comes in its own order, so that `"batch"` is an error there.
        seed: two integers of 32 bits that the order depends on.
        steps: how many steps make an epoch, `>= 1`; only the batch size of arrays depends on it.
        drop_remainder: leave out the smaller last batch of arrays.
        y_column: the same as a `y` that is a key.
        weight_column: the same as a `sample_weight` that is a key.
        role: what errors call the data, such as `validation_data`.

    Raises:
        ValueError: the data is unknown, empty, not numeric or of different lengths, or an argument does not fit it.
        KeyError: a column that the mapping does not have.

    Example:
        >>> import numpy as np
        >>> from elegy.data import as_source
        >>> source = as_source({"image": np.zeros((5, 2)), "label": np.arange(5)}, y="label", batch_size=2)
        >>> source.peek()
        Batch(x={image: f32[2,2]}, y_true=i32[2])
        >>> source.steps
        3
    """
    require_count("batch_size", batch_size)
    require_count("steps", steps)
    require_shuffle(shuffle)
    y, y_column = _key("y", y, y_column)
    sample_weight, weight_column = _key("sample_weight", sample_weight, weight_column)
    layout = Layout(y_column, weight_column, role, labels="y_true" if y is None else "y")
    if not isinstance(x, Source) and is_arrays(x):
        columns = name_arrays(x, y, sample_weight, layout)
        return ArraySource(
            columns,
            batch_size=batch_size,
            steps=steps,
            shuffle=shuffle,
            seed=seed,
            drop_remainder=drop_remainder,
            layout=layout,
        )
    if isinstance(x, Dataset):
        _refuse(x, role, y=y, sample_weight=sample_weight)
        size = batch_size or (32 if steps is None else math.ceil(len(x) / steps))
        return DataLoader(x, size, shuffle=shuffle, seed=seed, drop_remainder=drop_remainder, layout=layout)
    _refuse(x, role, y=y, sample_weight=sample_weight, batch_size=batch_size, drop_remainder=drop_remainder or None)
    return _from_batches(x, shuffle=shuffle, seed=seed, layout=layout)


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches one by one, so that its rows cannot be split or counted in advance.

    Args:
        x: anything that `fit` accepts as `x`, arrays `(rows, ...)` or not.

    Example:
        >>> import numpy as np
        >>> is_stream(iter([np.ones(3)])), is_stream(np.ones(3))
        (True, False)
    """
    if isinstance(x, type | str | bytes) or x is None:
        return False
    if isinstance(x, Source):
        return True
    if is_arrays(x) or hasattr(x, "to_numpy"):
        return False
    return isinstance(x, Iterable | Indexed) or callable(x)


def _from_batches(x: Any, *, shuffle: Shuffle, seed: tuple[int, int], layout: Layout) -> Source:
    role = layout.role
    if not is_stream(x):
        raise not_data(x, role)
    if isinstance(x, Source):
        _refuse(x, role, y=layout.y_column, sample_weight=layout.weight_column)
        _refuse(x, role, shuffle="batch" if shuffle == "batch" else None)
        return x
    if isinstance(x, Indexed) and not isinstance(x, Iterator):
        return SequenceSource(x, shuffle=shuffle, seed=seed, layout=layout)
    _refuse(x, role, shuffle="batch" if shuffle == "batch" else None)
    if isinstance(x, Iterator):
        return StreamSource(lambda: x, repeatable=False, layout=layout)
    if isinstance(x, Iterable):
        return StreamSource(lambda: iter(x), repeatable=True, steps=_length(x), layout=layout)
    return StreamSource(open_factory(x, role), repeatable=True, layout=layout)


def _key(name: str, value: Any, column: str | None) -> tuple[Any, str | None]:
    if not isinstance(value, str):
        if value is not None and column is not None:
            raise ValueError(
                f"`{name}` was asked for as an array and as the column `{column}`. Only one of them can be meant. "
                f"Leave one out."
            )
        return value, column
    if column is not None and column != value:
        raise ValueError(
            f'`{name}="{value}"` was asked for together with the column `{column}`. Both name the same thing. '
            f"Leave one out."
        )
    return None, value


def _refuse(x: Any, role: str, **arguments: Any) -> None:
    advice: Mapping[str, str] = {
        "y": "Let each batch be (x, y), or name the column of a mapping",
        "sample_weight": "Let each batch be (x, y, sample_weight), or name the column of a mapping",
        "batch_size": "The batches are as large as it yields them: leave `batch_size` out",
        "drop_remainder": "Let the loader itself leave out its last batch",
        "shuffle": "It comes in its own order: leave `shuffle` out",
    }
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"`{name}` was asked for together with `{role}`, a {type(x).__name__}. That is a generator or another "
                f"source of batches, to which nothing can be added from outside. {advice[name]}."
            )


def _length(x: Any) -> int | None:
    measure: Callable[[], int] | None = getattr(x, "__len__", None)
    try:
        return None if measure is None else int(measure())
    except (TypeError, NotImplementedError):  # loaders over endless data have the method and refuse to answer
        return None
