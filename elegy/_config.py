"""Snapshots of configuration: what is baked into a compiled step is compared before the step is used again."""

import functools
import types
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

_OPAQUE = ("jax", "jaxlib", "numpy", "optax", "pandas")  # objects of these count by identity
_SMALL = 1 << 16  # bytes of an array up to which its content counts, not only which array it is


def snapshot(value: Any, *, skip: frozenset[str] = frozenset()) -> dict[str, Any]:
    """By path everything that a compiled step may have baked in: attributes, closures, constants.

    Functions count by their code and by what they close over; arrays by content if small, else by identity; objects
    that hold no attributes of their own by identity.

    Args:
        value: modules, losses, metrics, in nests of any kind.
        skip: paths that are no configuration, like numbers that may change while a fit runs.

    Returns:
        Values that can be compared with `==`, by path.

    Example:
        >>> class Scale:
        ...     def __init__(self, factor): self.factor = factor
        >>> snapshot({"a": Scale(2.0)})["a/factor"]
        2.0
    """
    found: dict[str, Any] = {}
    _collect(value, "", found, {}, skip)
    return found


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The first changed path with both values, in words; None if nothing changed."""
    for path in [*before, *(path for path in after if path not in before)]:
        old, new = before.get(path, "nothing"), after.get(path, "nothing")
        if type(old) is not type(new) or old != new:
            return f"`{path}` changed from {_shown(old)} to {_shown(new)}"
    return None


def _collect(value: Any, path: str, found: dict[str, Any], seen: dict[int, Any], skip: frozenset[str]) -> None:
    if path in skip:
        return
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        found[path] = value
        return
    if isinstance(value, type):
        found[path] = _Same(value)
        return
    if id(value) in seen:
        return
    seen[id(value)] = value  # kept alive, so that its id is not given to another object
    for name, part in _parts(value, path, found):
        _collect(part, f"{path}/{name}" if path else str(name), found, seen, skip)


def _parts(value: Any, path: str, found: dict[str, Any]) -> list[tuple[str, Any]]:
    """What a value is made of; what cannot be taken apart is put into `found`."""
    if isinstance(value, (np.ndarray, jax.Array)):
        found[path] = _array_mark(value)
        return []
    if isinstance(value, Mapping):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        found[path] = len(value)
        return [(str(i), part) for i, part in enumerate(value)]
    if isinstance(value, functools.partial):
        return [("func", value.func), ("args", value.args), ("keywords", value.keywords)]
    if isinstance(value, types.MethodType):
        return [("function", value.__func__), ("self", value.__self__)]
    if isinstance(value, types.FunctionType):
        found[path] = _Same(value.__code__)
        cells = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
        return [("closure", cells), ("defaults", value.__defaults__), ("kwdefaults", value.__kwdefaults__)]
    if hasattr(value, "__elegy_config__"):
        return list(value.__elegy_config__().items())
    attributes = getattr(value, "__dict__", None)
    if not attributes or isinstance(value, types.ModuleType) or type(value).__module__.split(".")[0] in _OPAQUE:
        found[path] = _Same(value)
        return []
    found[path] = _Same(type(value))
    return list(attributes.items())


class _Same:
    """Compares by identity, and keeps its object alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return getattr(self.value, "__name__", None) or getattr(self.value, "co_name", None) or repr(self.value)


def _array_mark(array: Any) -> Any:
    if isinstance(array, jax.Array) or array.nbytes > _SMALL:
        return _Same(array)
    return (array.shape, str(array.dtype), zlib.crc32(np.ascontiguousarray(array).tobytes()))


def _is_filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:  # a name that is assigned later
        return False
    return True


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
