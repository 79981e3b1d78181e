"""Whether two constructor arguments mean the same, though they were made anew by each call."""

import functools
import types
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.core import Tracer


def same_argument(a: Any, b: Any, depth: int = 0) -> bool:
    """Whether two values are alike: arrays by content, functions by code and closure, objects by type and attributes.

    Example:
        >>> import jax
        >>> same_argument(jax.nn.initializers.normal(0.1), jax.nn.initializers.normal(0.1))
        True
        >>> same_argument([1, 2.0], [1, 3.0])
        False
    """
    if a is b or depth > 8:
        return True
    if isinstance(a, Tracer) or isinstance(b, Tracer):  # in a closure; its value is not known yet
        return np.shape(a) == np.shape(b)
    if isinstance(a, (np.ndarray, jax.Array)) or isinstance(b, (np.ndarray, jax.Array)):
        return np.shape(a) == np.shape(b) and bool(np.array_equal(np.asarray(a), np.asarray(b)))
    if type(a) is not type(b):
        return False
    if isinstance(a, types.FunctionType):
        return a.__code__ is b.__code__ and same_argument(_captured(a), _captured(b), depth + 1)
    if isinstance(a, types.MethodType):
        return a.__func__ is b.__func__ and same_argument(a.__self__, b.__self__, depth + 1)
    if isinstance(a, functools.partial):
        return same_argument((a.func, a.args, a.keywords), (b.func, b.args, b.keywords), depth + 1)
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same_argument(a[k], b[k], depth + 1) for k in a)
    if isinstance(a, float) and a != a:  # nan equals nothing, not even itself
        return bool(b != b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same_argument(p, q, depth + 1) for p, q in zip(a, b, strict=True))
    if type(a).__eq__ is object.__eq__ and hasattr(a, "__dict__"):
        return same_argument(_attributes(a), _attributes(b), depth + 1)
    return bool(a == b)


def has_tracer(value: Any) -> bool:
    """Whether a tracer is among the leaves of a value."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(value))


def _attributes(value: Any) -> dict[str, Any]:
    # What a module remembers between calls is no argument of its constructor.
    return {name: part for name, part in vars(value).items() if name != "_record"}


def _captured(function: types.FunctionType) -> tuple[Any, ...]:
    cells = tuple(_content(cell) for cell in function.__closure__ or ())
    return (cells, function.__defaults__, function.__kwdefaults__)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is assigned later
        return None
