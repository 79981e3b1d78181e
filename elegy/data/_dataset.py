"""`Dataset`: samples by index, and how several of them become one batch."""

import abc
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from .._errors import short_type
from ._convert import holds_numbers


class Dataset(abc.ABC):
    """Samples by number, each loaded when it is needed: subclass it, and give it to a `DataLoader` or to `fit`.

    A sample is what one row of a batch would be: `x`, `(x, y)`, `(x, y, sample_weight)`, a mapping, or an
    `elegy.Batch`; its arrays have no batch axis. Anything else that has `__len__` and `__getitem__` will do for a
    `DataLoader` too; given to `fit` by itself it is read as a sequence of whole batches.

    Example:
        >>> import numpy as np
        >>> from elegy.data import DataLoader, Dataset
        >>> class Squares(Dataset):
        ...     def __len__(self): return 5
        ...     def __getitem__(self, index): return np.float32(index), np.float32(index**2)
        >>> [y.tolist() for x, y in DataLoader(Squares(), batch_size=2)]
        [[0.0, 1.0], [4.0, 9.0], [16.0]]
    """

    @abc.abstractmethod
    def __len__(self) -> int:
        """How many samples there are."""

    @abc.abstractmethod
    def __getitem__(self, index: int, /) -> Any:
        """The sample of this number, from 0 to `len(self) - 1`."""

    def __iter__(self) -> Iterator[Any]:
        """All samples; a subclass need not raise IndexError behind the last one."""
        return (self[index] for index in range(len(self)))


def collate(samples: Sequence[Any], numbers: Sequence[int]) -> Any:
    """One batch of several samples: their arrays stacked along a new first axis, in the structure of the first one.

    Args:
        samples: nests of arrays and numbers, all of one structure and of equal shapes, `(*d)` each.
        numbers: which samples they are, for errors.

    Returns:
        NumPy arrays, `(len(samples), *d)`.

    Raises:
        ValueError: two samples differ in structure or shape; the place and both samples are named.

    Example:
        >>> collate([{"x": [1.0, 2.0], "y": 0}, {"x": [3.0, 4.0], "y": 1}], [0, 1])["y"]
        array([0, 1])
    """
    flat = [jax.tree_util.tree_flatten_with_path(sample, is_leaf=_is_array) for sample in samples]
    paths, structure = [jax.tree_util.keystr(path) for path, _ in flat[0][0]], flat[0][1]
    columns = [[np.asarray(leaf) for _, leaf in leaves] for leaves, _ in flat]
    for column, (_, other), number in zip(columns, flat, numbers, strict=True):
        if other != structure:
            raise _unlike(numbers[0], samples[0], number, samples[list(numbers).index(number)])
        for path, first, leaf in zip(paths, columns[0], column, strict=True):
            if leaf.shape != first.shape:
                raise ValueError(
                    f"Samples of equal shapes were asked for, to stack them to a batch. At `{path or 'x'}` sample "
                    f"{numbers[0]} is {short_type(first)} and sample {number} is {short_type(leaf)}. Cut or pad them "
                    "in the dataset, or give `collate_fn=`."
                )
    return jax.tree.unflatten(structure, [np.stack(leaves) for leaves in zip(*columns, strict=True)])


def _is_array(node: Any) -> bool:
    return isinstance(node, list) and holds_numbers(node)


def _unlike(first: int, one: Any, number: int, other: Any) -> ValueError:
    return ValueError(
        f"Samples of one structure were asked for, to stack them to a batch. Sample {first} is {_words(one)} and "
        f"sample {number} is {_words(other)}. Let the dataset give all samples alike, or give `collate_fn=`."
    )


def _words(sample: Any) -> str:
    return repr(jax.tree.map(lambda leaf: short_type(np.asarray(leaf)), sample, is_leaf=_is_array)).replace("'", "")
