"""Which modules learn: what `module.trainable` declares, for a module and all below that declare nothing themselves."""

from collections.abc import Callable
from typing import Any

from ._places import below, tree_of
from ._record import Record, record_of


def set_trainable(module: Any, value: Any, record: Callable[[Any], Record]) -> None:
    """Declare for a module and all below whether they learn.

    Args:
        module: where to begin.
        value: True or False.
        record: finds a module's record.

    Raises:
        ValueError: the value is neither.
    """
    if not isinstance(value, bool):
        raise ValueError(
            f"`trainable` was set to {value!r}. A module learns or it does not. Set `True` or `False`; single "
            'parameters are frozen with `model.freeze("encoder/w")`.'
        )
    for _, part in tree_of(module, record):
        record(part).trainable = value


def learning(root: Any) -> dict[str, bool]:
    """By path whether each module from `root` down learns; one that declares nothing does as the module above."""
    learns: dict[str, bool] = {}
    for path, module in tree_of(root):
        own = record_of(module).trainable
        learns[path] = learns.get(_nearest(path, learns), True) if own is None else own
    return learns


def settle_trainable(root: Any) -> None:
    """Write onto each module what it inherits, so that it can be read there."""
    learns = learning(root)
    for path, module in tree_of(root):
        if not learns[path]:
            record_of(module).trainable = False


def frozen_patterns(root: Any) -> tuple[str, ...]:
    """The modules that do not learn as path patterns: a node where all below it rests too, else single parameters."""
    learns = learning(root)
    if all(learns.values()):
        return ()
    if not any(learns.values()):
        return ("**",)
    busy = {above for path, does in learns.items() if does for above in _with_those_above(path)}
    patterns: list[str] = []
    for path, module in tree_of(root):
        if learns[path] or (patterns and path.startswith(f"{patterns[-1]}/")):
            continue
        patterns += [below(path, name) for name in record_of(module).specs] if path in busy else [path]
    return tuple(patterns)


def _with_those_above(path: str) -> list[str]:
    names = path.split("/")
    return ["", *("/".join(names[:end]) for end in range(1, len(names) + 1))]


def _nearest(path: str, known: dict[str, bool]) -> str:
    """The path of the closest module above; names such as `layers/0` are two steps."""
    while path:
        path = path.rpartition("/")[0]
        if path in known:
            break
    return path
