"""What users hold becomes host arrays of at most 32 bits, or an error that says what to write."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._errors import short_type

_NARROW = {"float64": "float32", "int64": "int32", "uint64": "uint32", "complex128": "complex64"}


def to_arrays(value: Any, place: str, *, streamed: bool = False) -> Any:
    """A nest of what users hold as the same nest of arrays; a (nested) list of numbers is one array.

    Mappings become dicts; namedtuples and registered pytrees keep their type; None stays.

    Args:
        value: array, list of numbers, pandas object of numeric columns, or a nest of them.
        place: what errors call it, such as `x/image`.
        streamed: the value is one batch of a stream: JAX arrays stay where they are, and host arrays are copied,
            because a step that still runs would see a loader fill its buffer anew.

    Raises:
        ValueError: a leaf is no numeric array with rows, or an integer does not fit 32 bits.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {name: to_arrays(part, f"{place}/{name}", streamed=streamed) for name, part in value.items()}
    if isinstance(value, list) and holds_numbers(value):
        return _narrow(_from_numbers(value, place), place)
    if isinstance(value, list | tuple):
        parts = [to_arrays(part, f"{place}[{i}]", streamed=streamed) for i, part in enumerate(value)]
        if isinstance(value, list):
            return parts
        return type(value)(*parts) if is_namedtuple(value) else tuple(parts)
    if is_array(value):
        return _from_array(value, place, streamed=streamed)
    if is_pytree_node(value):
        children, structure = jax.tree.flatten(value, is_leaf=lambda node: node is not value)
        parts = [to_arrays(child, f"{place}[{i}]", streamed=streamed) for i, child in enumerate(children)]
        return jax.tree.unflatten(structure, parts)
    raise not_data(value, place)


def is_arrays(value: Any) -> bool:
    """Whether `value` is meant as whole columns in memory (and not as a stream of batches)."""
    return isinstance(value, Mapping | list | tuple) or is_array(value) or is_pytree_node(value)


def is_array(value: Any) -> bool:
    """Whether `value` can be read as one array: NumPy, JAX, a numeric pandas object, or what shows `__array__`."""
    if isinstance(value, np.ndarray | np.generic | jax.Array) or _is_pandas(value):
        return True
    if isinstance(value, type) or hasattr(value, "to_numpy"):
        return False
    return hasattr(value, "__array__") and hasattr(value, "shape") and hasattr(value, "dtype")


def is_namedtuple(value: Any) -> bool:
    """Whether `value` is a tuple with named fields."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def is_pytree_node(value: Any) -> bool:
    """Whether JAX knows how to take `value` apart; None, its empty node, is no data."""
    return value is not None and not jax.tree_util.all_leaves([value])


def not_data(value: Any, place: str) -> ValueError:
    """The error that says what to write instead of `value`."""
    asked = f"`{place}` was asked for as data."
    if value is None:
        return ValueError(f"{asked} It is None. Give arrays, or a generator of batches.")
    if isinstance(value, type):
        name = value.__name__
        return ValueError(f"{asked} It is the class {name} where an instance belongs. Write `{name}(...)`.")
    if isinstance(value, str | bytes):
        return ValueError(f"{asked} It is a string. Encode it as numbers, or load the arrays that it names.")
    if isinstance(value, int | float | complex):
        return ValueError(
            f"{asked} It is the single number {value}, without rows. Give one value per row, or put the numbers into "
            f"one list."
        )
    how = "Write `.to_numpy()` after it" if hasattr(value, "to_numpy") else "Convert it (`np.asarray`, `.to_numpy()`)"
    return ValueError(
        f"{asked} Its type {type(value).__name__} is neither an array nor a stream of batches. {how}, or give a "
        f"generator of batches."
    )


def _from_array(value: Any, place: str, *, streamed: bool) -> Any:
    if isinstance(value, jax.Array):
        if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            raise ValueError(
                f"`{place}` was asked for as data. It holds {short_type(value)}, random keys and not numbers. "
                f"Give their numbers (`jax.random.key_data`), or a seed to the model."
            )
        if streamed and value.ndim:
            return value
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(
            f"`{place}` was asked for as data. It is a masked array, and its mask would be lost. "
            f"Write `.filled(0)` and give the mask as `sample_weight`."
        )
    if _is_pandas(value):
        return _narrow(_from_pandas(value, place), place)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"`{place}` was asked for as data. Its type {type(value).__name__} could not be read as a NumPy array: "
            f"{error}. Convert it before you give it, for instance with `np.asarray`."
        ) from error
    narrow = _narrow(array, place)
    return narrow.copy() if streamed and narrow is array else narrow


def _from_numbers(value: list[Any], place: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"`{place}` was asked for as one array. It is a nested list whose rows have different lengths. "
            f"Pad the rows to one length, or give one array per input."
        ) from error
    if array.dtype == object:
        raise _too_large(place, "64-bit integers")
    return array


def _from_pandas(value: Any, place: str) -> np.ndarray:
    dtypes = dict(value.dtypes.items()) if hasattr(value, "columns") else {place: value.dtype}
    if wrong := [name for name, dtype in dtypes.items() if dtype.kind not in "biufc"]:
        raise ValueError(
            f"`{place}` was asked for as data. Its pandas columns {', '.join(map(str, wrong))} hold "
            f"{', '.join(str(dtypes[name]) for name in wrong)}, not numbers. "
            f"Encode or drop them, then give the numeric columns (`.to_numpy()`)."
        )
    try:
        return value.to_numpy(dtype=np.result_type(np.bool_, *(np.dtype(dtype.type) for dtype in dtypes.values())))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`{place}` was asked for as data. Its pandas columns have missing values. "
            f"Fill them (`.fillna(0)`) or drop their rows (`.dropna()`)."
        ) from error


def _narrow(array: np.ndarray, place: str) -> np.ndarray:
    if not (array.dtype == np.bool_ or jnp.issubdtype(array.dtype, np.number)):
        raise ValueError(
            f"`{place}` was asked for as data. It holds {short_type(array)}, not numbers. "
            f"Encode strings and objects as numbers before you give them."
        )
    if array.ndim == 0:
        raise ValueError(
            f"`{place}` was asked for as a column of rows. It is a single number, {short_type(array)}, without a "
            f"first axis. Give one value per row, for instance with `np.full(rows, value)`."
        )
    if (target := _NARROW.get(array.dtype.name)) is None:
        return array
    if array.dtype.kind in "iu":
        limits = np.iinfo(target)
        if array.size and not (limits.min <= array.min() and array.max() <= limits.max):
            raise _too_large(place, target)
        return array.astype(target)
    try:
        with np.errstate(over="raise"):
            return array.astype(target)
    except FloatingPointError as error:
        raise _too_large(place, target) from error


def holds_numbers(value: list[Any] | tuple[Any, ...]) -> bool:
    """Whether a nested list is one array: it holds numbers and nothing else."""
    return all(_is_number(item) or (isinstance(item, list | tuple) and holds_numbers(item)) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex) or (is_array(value) and value.shape == () and value.dtype != object)


def _is_pandas(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "to_numpy")


def _too_large(place: str, target: str) -> ValueError:
    return ValueError(
        f"`{place}` was asked for as {target}, since data is narrowed to 32 bits. It holds a value that does not fit. "
        f"Scale it, hash it to a smaller range, or split it into two columns."
    )
