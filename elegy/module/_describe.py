"""A module as text: how it was made, what it holds, and the same of all below."""

import inspect
from typing import Any

from .._errors import short_type
from ._places import tree_of
from ._record import record_of
from ._trainable import learning

_PLAIN = (bool, int, float, str, tuple)


def description(root: Any) -> str:
    """What `repr` shows of a module: a line for each module from `root` down, a shared one at its first place."""
    learns = learning(root)
    lines = []
    for path, module in tree_of(root):
        record = record_of(module)
        arrays = [f"{name} {short_type(spec)}" for name, spec in record.specs.items()]
        notes = ["; ".join(filter(None, [", ".join(arrays), "" if learns[path] else "frozen"]))]
        named = f"{path}: " if path else ""
        lines.append("  " * bool(path) + " ".join(filter(None, [f"{named}{_construction(module)}", *notes])))
    return "\n".join(lines)


def _construction(module: Any) -> str:
    """The class with those constructor arguments that are plain values, kept under their names, and no defaults."""
    kept = vars(module)
    shown = [
        f"{name}={kept[name]!r}"
        for name, parameter in inspect.signature(type(module)).parameters.items()
        if isinstance(kept.get(name), _PLAIN) and kept[name] != parameter.default
    ]
    return f"{type(module).__name__}({', '.join(shown)})"
