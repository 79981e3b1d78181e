"""Which part of the data has which name: `x`, `y_true`, `sample_weight` and whatever a named batch adds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._errors import did_you_mean, listing, short_type
from ._batch import Batch
from ._convert import is_namedtuple, to_arrays


@dataclass(frozen=True)
class Layout:
    """How the elements of one data set are read: which keys of a mapping hold labels and weights, and its name.

    Args:
        y_column: key of a mapping that holds the labels, or None.
        weight_column: key of a mapping that holds the weights, or None.
        role: what errors call the data; columns of `x` are called by their own names.
        labels: what errors call `y_true`: `y` where it was given as that argument.
    """

    y_column: str | None = None
    weight_column: str | None = None
    role: str = "x"
    labels: str = "y_true"

    def place(self, column: str) -> str:
        """What errors call a column."""
        column = self.labels if column == "y_true" else column
        return column if self.role == "x" else f"{self.role}: {column}"


def name_element(element: Any, layout: Layout) -> dict[str, Any]:
    """The columns of one element of a stream: a batch by names, a mapping as `x`, or a tuple `(x, y, sample_weight)`.

    Raises:
        ValueError: a tuple of another length than 1 to 3, or a namedtuple.
        KeyError: a column that the mapping does not have.
    """
    if isinstance(element, Mapping):
        return name_mapping(element, layout)
    _refuse_columns(element, layout)
    if is_namedtuple(element):
        raise ValueError(
            f"`{layout.role}` was asked for the next batch. It gave the namedtuple {type(element).__name__}, which "
            f"may be one input or (x, y, sample_weight). Yield `tuple(batch)` or `elegy.Batch(x=batch)`."
        )
    if not isinstance(element, tuple | list):
        return {"x": element}
    if not 1 <= len(element) <= 3:
        raise ValueError(
            f"`{layout.role}` was asked for x, (x, y) or (x, y, sample_weight). It gave a {type(element).__name__} of "
            f"{len(element)} parts; data not understood. Put several inputs into a tuple of their own, "
            f"`((a, b), y)`, or name them with `elegy.Batch`."
        )
    return dict(zip(("x", "y_true", "sample_weight"), element, strict=False))


def name_mapping(mapping: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The columns of a mapping: named if it is a `Batch` or has both `x` and `y_true`, else it is all `x`."""
    rest = dict(mapping)
    taken = {}
    for name, column in (("y_true", layout.y_column), ("sample_weight", layout.weight_column)):
        if column is not None:
            if column not in rest:
                offer = listing(rest)
                raise KeyError(
                    f"`{layout.role}` was asked for the column `{column}`. It has: {offer}. "
                    f"Name one of these.{did_you_mean(column, map(str, rest))}"
                )
            taken[name] = rest.pop(column)
    if not (isinstance(mapping, Batch) or ("x" in mapping and "y_true" in mapping)):
        return {"x": rest, **taken}
    for name in taken:
        refuse_second(name, rest, layout)
    return rest | taken


def name_arrays(x: Any, y: Any, sample_weight: Any, layout: Layout) -> dict[str, Any]:
    """The columns of data that lies in memory as a whole, as `fit(x, y, sample_weight)` takes it."""
    if isinstance(x, Mapping):
        columns = name_mapping(x, layout)
    else:
        _refuse_columns(x, layout)
        columns = {"x": x}
    for name, value in (("y_true", y), ("sample_weight", sample_weight)):
        if value is not None:
            refuse_second(name, columns, layout)
            columns[name] = value
    return columns


def host_columns(
    columns: Mapping[str, Any], layout: Layout, *, streamed: bool = False, number: int | None = None
) -> Batch:
    """Columns as arrays with equally many rows and finite weights; columns that are None are left out.

    Args:
        columns: what users hold, by name.
        layout: how errors call it.
        streamed: they are one batch of a stream, see `to_arrays`.
        number: which batch of a stream it is, for errors.
    """
    arrays = {}
    for name, value in columns.items():
        if value is not None:
            arrays[name] = to_arrays(value, layout.place(name), streamed=streamed)
    if "sample_weight" in arrays:
        arrays["sample_weight"] = jax.tree.map(_as_weight, arrays["sample_weight"])
        _check_weights(arrays["sample_weight"], layout, number)
    batch = Batch(**arrays)
    _check_rows(batch, layout, number)
    return batch


def row_count(batch: Any) -> int:
    """The rows of a checked batch."""
    return jax.tree.leaves(batch)[0].shape[0]


def rows_from(batch: Batch, start: int) -> Batch:
    """The batch without its first `start` rows."""
    return jax.tree.map(lambda leaf: leaf[start:], batch) if start else batch


def refuse_second(name: str, columns: Mapping[str, Any], layout: Layout) -> None:
    """Raises when a column is given twice: inside the data and beside it."""
    if columns.get(name) is not None:
        raise ValueError(
            f"`{layout.place(name)}` was asked for beside the data. The data already names a column `{name}`. "
            f"Give it in one place only."
        )


def _refuse_columns(element: Any, layout: Layout) -> None:
    for argument, column in (("y", layout.y_column), ("sample_weight", layout.weight_column)):
        if column is not None:
            raise ValueError(
                f'`{argument}="{column}"` was asked for, which takes a column out of a mapping. '
                f"`{layout.role}` gives {type(element).__name__}, which has no names. "
                f"Give a dict of columns, or the arrays themselves."
            )


def _as_weight(leaf: Any) -> Any:
    return leaf if jnp.issubdtype(leaf.dtype, np.floating) else leaf.astype(np.float32)


def _check_weights(weights: Any, layout: Layout, number: int | None) -> None:
    for leaf in jax.tree.leaves(weights):
        finite = np.isfinite(np.asarray(leaf))
        if not finite.all():
            row = int(np.argwhere(~finite)[0][0])
            raise ValueError(
                f"`{layout.place('sample_weight')}` was asked for to weigh the samples{_in_batch(number)}. "
                f"{int((~finite).sum())} of its values are NaN or infinite, the first in row {row}. "
                f"Replace them, with 0 where a sample should not count."
            )


def _check_rows(batch: Batch, layout: Layout, number: int | None) -> None:
    rows = {leaf.shape[0] for leaf in jax.tree.leaves(batch)}
    if len(rows) == 1 and 0 not in rows:
        return
    if rows in ({0}, set()):
        raise ValueError(
            f"`{layout.role}` was asked for rows to run on{_in_batch(number)}. It is empty: {batch}. "
            f"Give at least one row."
        )
    found = [f"{layout.place(name)} {_lengths(value)}" for name, value in batch.items()]
    raise ValueError(
        f"Columns with equally many rows were asked for{_in_batch(number)}. The data cardinality is ambiguous: "
        f"{'; '.join(found)}. Cut or pad the columns so that their first axes agree."
    )


def _lengths(value: Any) -> str:
    return ", ".join(f"has {leaf.shape[0]} rows ({short_type(leaf)})" for leaf in jax.tree.leaves(value))


def _in_batch(number: int | None) -> str:
    return "" if number is None else f" in batch {number} (counted from 0)"
