"""Rows that arrive batch by batch, in arrays that hold all of them."""

from typing import Any

import jax
import numpy as np

from ._errors import short_type

_GROWTH = 1.5


class RowBuffer:
    """Nests of arrays behind each other along their first axis, each copied once, to where it stays.

    Args:
        rows: how many rows will arrive, where known; else, or if there are more, the arrays grow.
        place: what errors call the nest.

    Example:
        >>> buffer = RowBuffer(None, "y_pred")
        >>> buffer.add({"a": np.ones((2, 1))})
        >>> buffer.add({"a": np.zeros((1, 1))})
        >>> buffer.rows()["a"].tolist()
        [[1.0], [1.0], [0.0]]
    """

    def __init__(self, rows: int | None, place: str) -> None:
        self._room = rows or 0
        self._place = place
        self._count = 0
        self._held: list[np.ndarray] = []
        self._structure: Any = None

    def add(self, nest: Any) -> None:
        """Append the rows of a nest; the number of rows is that of its leaves, which agree.

        Raises:
            ValueError: it is of another structure than the first one, or a leaf has rows of another shape.
        """
        leaves, structure = jax.tree.flatten(nest)
        if self._structure is None:
            self._room = max(self._room, len(leaves[0]) if leaves else 0)
            self._held = [np.empty((self._room, *leaf.shape[1:]), leaf.dtype) for leaf in leaves]
            self._structure = structure
        self._require_alike(nest)
        end = self._count + (len(leaves[0]) if leaves else 0)
        if end > self._room:
            self._resize(max(end, int(_GROWTH * self._room)))
        for number, leaf in enumerate(leaves):
            held = self._held[number] = _wide_enough(self._held[number], leaf.dtype)
            held[self._count : end] = leaf
        self._count = end

    def rows(self) -> Any:
        """The nest with all rows; nothing can be appended any more.

        Raises:
            ValueError: nothing was appended.
        """
        if self._structure is None:
            raise ValueError(
                f"All rows of `{self._place}` were asked for. The data had no batch. Give data with at least one row."
            )
        self._resize(self._count)
        return jax.tree.unflatten(self._structure, self._held)

    def _resize(self, room: int) -> None:
        """Give or take room at the end, in place: no second array of this size is needed."""
        for held in self._held:
            held.resize((room, *held.shape[1:]), refcheck=False)  # nobody else has seen them
        self._room = room

    def _require_alike(self, nest: Any) -> None:
        leaves, structure = jax.tree_util.tree_flatten_with_path(nest)
        if structure != self._structure:
            raise ValueError(
                f"All rows of `{self._place}` were asked for. The first batch gave {self._structure}, a later one "
                f"{structure}. Return one structure, or take each batch as it is: `writer=`."
            )
        for (path, leaf), held in zip(leaves, self._held, strict=True):
            if leaf.shape[1:] != held.shape[1:]:
                raise ValueError(
                    f"All rows of `{self._place}{jax.tree_util.keystr(path)}` were asked for. A batch is "
                    f"{short_type(leaf)}, and those before have rows of shape {held.shape[1:]}. Return rows of one "
                    "shape, or take each batch as it is: `writer=`."
                )


def _wide_enough(held: np.ndarray, dtype: Any) -> np.ndarray:
    """The array in a dtype that holds its own values and those of another dtype."""
    return held if held.dtype == dtype else held.astype(np.result_type(held, dtype), copy=False)
